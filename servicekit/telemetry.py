"""Traces and metrics: W3C trace context, spans for sampled calls only, and ``/metrics``.

An instrumented empty call costs half a millisecond more; so nothing here touches OpenTelemetry
unless the caller's ``traceparent`` says that the trace is sampled. Metrics are made directly with
prometheus_client; for several processes of one service its folder must be chosen before it is
imported, which is why this module imports it late.
"""

import contextvars
import os
import random
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

MULTIPROCESS_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACEPARENT_LENGTH = 55
_SAMPLED_LAST_DIGITS = frozenset("13579bdf")
_NOT_TRACED: AbstractContextManager[None] = nullcontext()

current_traceparent: contextvars.ContextVar[str] = contextvars.ContextVar(
    "current_traceparent", default=""
)
"""The W3C trace context of the innermost span of the running task; empty outside of any."""


@dataclass(slots=True)
class _Tracing:
    """What ``configure`` chose; without a tracer no call is ever traced."""

    tracer: "Tracer | None" = None
    sample_ratio: float = 0.0


_tracing = _Tracing()


def configure(
    *,
    service: str,
    otlp_endpoint: str = "",
    sample_ratio: float = 0.01,
    processor: "SpanProcessor | None" = None,
) -> None:
    """Send the spans of sampled traces to ``otlp_endpoint`` (OTLP over gRPC); nowhere if empty.

    ``sample_ratio`` is the share of the traces begun here that are sampled; a trace begun elsewhere
    keeps its caller's decision. ``processor`` takes the spans instead of the exporter.
    """
    _tracing.tracer = None
    _tracing.sample_ratio = sample_ratio
    if not otlp_endpoint and processor is None:
        return
    # The SDK and its exporter take a third of a second to import; most processes need neither.
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: service}),
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
    )
    provider.add_span_processor(processor or _exporting_to(otlp_endpoint))
    _tracing.tracer = provider.get_tracer("servicekit")


def _exporting_to(otlp_endpoint: str) -> "SpanProcessor":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    insecure = not otlp_endpoint.startswith("https://")
    return BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp_endpoint, insecure=insecure))


def is_valid(traceparent: str) -> bool:
    """Tell whether the text is a trace context of version 00 (W3C Trace Context, section 3.2)."""
    return _TRACEPARENT.fullmatch(traceparent) is not None


def is_sampled(traceparent: str) -> bool:
    """Tell whether the trace is sampled: the last bit of the flags. Costs a tenth of a µs."""
    return len(traceparent) == _TRACEPARENT_LENGTH and traceparent[54] in _SAMPLED_LAST_DIGITS


def trace_id_of(traceparent: str) -> str:
    """Return the 32 digits of the trace id, or nothing for a text that is none."""
    return traceparent[3:35] if len(traceparent) == _TRACEPARENT_LENGTH else ""


def format_traceparent(*, trace_id: int, span_id: int, sampled: bool) -> str:
    """Return the W3C text of a trace context."""
    return f"00-{trace_id:032x}-{span_id:016x}-{'01' if sampled else '00'}"


def accept_traceparent(incoming: str) -> str:
    """Return the caller's trace context, or a new one where there is none or a malformed one.

    A new trace is sampled at the configured ratio, if there is somewhere to send it.
    """
    if incoming and is_valid(incoming):
        return incoming
    return format_traceparent(
        trace_id=random.getrandbits(128) or 1,
        span_id=random.getrandbits(64) or 1,
        sampled=_tracing.tracer is not None and _chosen(_tracing.sample_ratio),
    )


def _chosen(ratio: float) -> bool:
    return random.random() < ratio  # noqa: S311 - a sample, not a secret


def start_sampled_span(
    name: str,
    traceparent: str,
    attributes: "Mapping[str, AttributeValue] | None" = None,
) -> "AbstractContextManager[Span | None]":
    """Open a span as a child of ``traceparent``; do nothing if that trace is not sampled.

    Within the block ``current_traceparent`` is the span's, to be passed on in calls and events.
    An exception that leaves the block is recorded and makes the span's status an error.
    """
    if (
        _tracing.tracer is None
        or len(traceparent) != _TRACEPARENT_LENGTH
        or traceparent[54] not in _SAMPLED_LAST_DIGITS
        or not is_valid(traceparent)
    ):
        return _NOT_TRACED
    return _span(_tracing.tracer, name, traceparent, attributes)


def start_child_span(
    name: str, attributes: "Mapping[str, AttributeValue] | None" = None
) -> "AbstractContextManager[Span | None]":
    """Open a span below the task's current one, such as a transaction's; do nothing without."""
    return start_sampled_span(name, current_traceparent.get(), attributes)


@contextmanager
def _span(
    tracer: "Tracer",
    name: str,
    traceparent: str,
    attributes: "Mapping[str, AttributeValue] | None",
) -> "Iterator[Span]":
    from opentelemetry import trace

    parent = trace.SpanContext(
        trace_id=int(traceparent[3:35], 16),
        span_id=int(traceparent[36:52], 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    with tracer.start_as_current_span(name, context=context, attributes=attributes) as span:
        own = span.get_span_context()
        reset_to = current_traceparent.set(
            format_traceparent(trace_id=own.trace_id, span_id=own.span_id, sampled=True)
        )
        try:
            yield span
        finally:
            current_traceparent.reset(reset_to)


def choose_multiprocess_folder(folder: Path) -> None:
    """Keep the metrics of this process and of its children in ``folder``, one sum for all.

    Call it before anything imports prometheus_client; ``RuntimeError`` if that is too late. What a
    former run left there is removed.
    """
    if "prometheus_client" in sys.modules:
        raise RuntimeError("prometheus_client was imported before its folder was chosen")
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob("*.db"):
        left_over.unlink()
    os.environ[MULTIPROCESS_FOLDER_VARIABLE] = str(folder)


def render_metrics() -> bytes:
    """Return the metrics of this process, or of all that share its folder, as Prometheus text."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

    if MULTIPROCESS_FOLDER_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
