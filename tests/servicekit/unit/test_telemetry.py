import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from servicekit import telemetry
from servicekit.telemetry import (
    accept_traceparent,
    current_traceparent,
    format_traceparent,
    is_sampled,
    is_valid,
    start_child_span,
    start_sampled_span,
    trace_id_of,
)

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = SAMPLED[:-2] + "00"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    telemetry.configure(service="test", sample_ratio=1.0, processor=SimpleSpanProcessor(exporter))
    yield exporter
    telemetry.configure(service="test")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        SAMPLED[:-1],
        SAMPLED + "0",
        SAMPLED.upper(),
        "ff" + SAMPLED[2:],
        "00-" + "0" * 32 + SAMPLED[35:],
        SAMPLED[:36] + "0" * 16 + "-01",
        SAMPLED.replace("-", "_"),
    ],
)
def test_what_is_no_trace_context_is_replaced(text: str) -> None:
    assert not is_valid(text)
    assert is_valid(accept_traceparent(text))


def test_a_caller_keeps_its_trace_context() -> None:
    assert accept_traceparent(SAMPLED) == SAMPLED
    assert accept_traceparent(UNSAMPLED) == UNSAMPLED


def test_the_last_bit_of_the_flags_says_whether_a_trace_is_sampled() -> None:
    assert is_sampled(SAMPLED)
    assert is_sampled(SAMPLED[:-2] + "03")
    assert not is_sampled(UNSAMPLED)
    assert not is_sampled(SAMPLED[:-2] + "02")
    assert not is_sampled("")


def test_parts_of_a_trace_context_come_back() -> None:
    text = format_traceparent(trace_id=0xABC, span_id=0xDEF, sampled=True)
    assert is_valid(text)
    assert trace_id_of(text) == f"{0xABC:032x}"
    assert trace_id_of("short") == ""


def test_nothing_is_traced_without_an_endpoint() -> None:
    telemetry.configure(service="test", sample_ratio=1.0)
    with start_sampled_span("name", SAMPLED) as span:
        assert span is None
    assert not is_sampled(accept_traceparent(""))


def test_a_sampled_call_makes_a_span_below_its_caller(spans: InMemorySpanExporter) -> None:
    with start_sampled_span("outer", SAMPLED, {"key": "value"}) as span:
        assert span is not None
        inside = current_traceparent.get()
        assert trace_id_of(inside) == trace_id_of(SAMPLED)
        assert inside != SAMPLED
        with start_child_span("inner"):
            pass
    assert current_traceparent.get() == ""
    inner, outer = spans.get_finished_spans()
    assert (inner.name, outer.name) == ("inner", "outer")
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id
    assert outer.parent is not None
    assert f"{outer.parent.span_id:016x}" == SAMPLED[36:52]
    assert dict(outer.attributes or {}) == {"key": "value"}


def test_a_call_that_is_not_sampled_makes_none(spans: InMemorySpanExporter) -> None:
    for text in (UNSAMPLED, "", "nonsense", "x" * 54 + "1"):
        with start_sampled_span("name", text) as span:
            assert span is None
    with start_child_span("name") as span:
        assert span is None
    assert spans.get_finished_spans() == ()


def test_a_fault_marks_the_span(spans: InMemorySpanExporter) -> None:
    with pytest.raises(LookupError), start_sampled_span("name", SAMPLED):
        raise LookupError
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR


async def test_tasks_do_not_share_their_span(spans: InMemorySpanExporter) -> None:
    async def trace_of(digit: str) -> str:
        with start_sampled_span("name", f"00-{digit * 32}-{digit * 16}-01"):
            await asyncio.sleep(0.01)
            return trace_id_of(current_traceparent.get())

    assert await asyncio.gather(*map(trace_of, "123")) == ["1" * 32, "2" * 32, "3" * 32]
    assert len(spans.get_finished_spans()) == 3


def test_new_traces_are_sampled_at_the_ratio(spans: InMemorySpanExporter) -> None:
    assert is_sampled(accept_traceparent(""))
    telemetry.configure(service="test", sample_ratio=0.0, processor=SimpleSpanProcessor(spans))
    assert not is_sampled(accept_traceparent(""))


def test_an_endpoint_gets_an_exporter() -> None:
    telemetry.configure(service="test", otlp_endpoint="http://127.0.0.1:1", sample_ratio=0.0)
    try:
        with start_sampled_span("name", UNSAMPLED) as span:
            assert span is None
    finally:
        telemetry.configure(service="test")


def test_metrics_are_prometheus_text() -> None:
    from prometheus_client import Counter

    Counter("blytz_test_things_total", "Things.").inc(3)
    assert b"blytz_test_things_total 3.0" in telemetry.render_metrics()


def test_processes_that_share_a_folder_share_their_metrics(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from servicekit import telemetry
if sys.argv[1] == "first":
    telemetry.choose_multiprocess_folder(Path(sys.argv[2]))
else:
    os.environ[telemetry.MULTIPROCESS_FOLDER_VARIABLE] = sys.argv[2]
from prometheus_client import Counter
Counter("blytz_shared_total", "Shared.").inc()
print(telemetry.render_metrics().decode())
"""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program, order, str(tmp_path / "metrics")],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(telemetry.__file__).parents[1],
        ).stdout
        for order in ("first", "second", "first")
    ]
    assert ["blytz_shared_total 2.0" in output for output in outputs] == [False, True, False]


def test_the_folder_of_metrics_is_chosen_before_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        telemetry.choose_multiprocess_folder(tmp_path)
