import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from servicekit import logs
from servicekit.telemetry import current_traceparent

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    hooks = sys.excepthook, threading.excepthook
    stream = io.StringIO()
    logs.configure(service="test", level="info", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_who_and_what(output: io.StringIO) -> None:
    structlog.get_logger("svc.module").info("bid_placed", price_minor=1200, title="Vase „blau“")
    (line,) = lines(output)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "svc.module",
        "event": "bid_placed",
        "service": "test",
        "price_minor": 1200,
        "title": "Vase „blau“",
    }


def test_standard_logging_comes_out_alike(output: io.StringIO) -> None:
    logging.getLogger("library").warning("%s of %s", 1, 2)
    (line,) = lines(output)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "library",
        "event": "1 of 2",
        "service": "test",
    }


def test_lines_of_a_traced_task_carry_its_trace(output: io.StringIO) -> None:
    reset_to = current_traceparent.set(TRACEPARENT)
    structlog.get_logger("own").info("inside")
    logging.getLogger("library").info("inside")
    current_traceparent.reset(reset_to)
    structlog.get_logger("own").info("outside")
    traces = [line.get("trace_id") for line in lines(output)]
    assert traces == [TRACEPARENT[3:35], TRACEPARENT[3:35], None]


def test_what_is_below_the_level_is_not_written(output: io.StringIO) -> None:
    structlog.get_logger("own").debug("hidden")
    logging.getLogger("library").debug("hidden")
    assert lines(output) == []


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="no log level"):
        logs.configure(service="test", level="loud")


@pytest.mark.parametrize(
    "name",
    ["password", "access_token", "Authorization", "email", "e_mail", "client_secret", "cookie",
     "api_key", "phone_number", "postal_address", "card_number", "new_password_hash"],
)  # fmt: skip
def test_private_values_are_dropped_wherever_they_stand(output: io.StringIO, name: str) -> None:
    structlog.get_logger("own").info(
        "signed_in", **{name: "private"}, headers={name: "private", "inner": {name: "private"}}
    )
    assert "private" not in output.getvalue()
    (line,) = lines(output)
    assert line[name] == line["headers"][name] == line["headers"]["inner"][name] == "[dropped]"


@pytest.mark.parametrize("name", ["address", "auction_id", "service", "event", "postgres"])
def test_other_values_stay(name: str) -> None:
    assert not logs.is_private_name(name)


def test_an_exception_is_written_into_its_line(output: io.StringIO) -> None:
    try:
        int("what happened")
    except ValueError:
        structlog.get_logger("own").exception("failed")
    (line,) = lines(output)
    assert line["level"] == "error"
    assert "ValueError: invalid literal" in line["exception"]


def test_what_nobody_caught_is_logged(output: io.StringIO) -> None:
    def fail() -> None:
        raise LookupError("on a thread")

    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    fault = LookupError("in the main thread")
    sys.excepthook(LookupError, fault, None)
    on_thread, in_main = lines(output)
    assert (on_thread["event"], on_thread["level"]) == ("uncaught", "critical")
    assert on_thread["thread"] == "worker"
    assert "LookupError: on a thread" in on_thread["exception"]
    assert "LookupError: in the main thread" in in_main["exception"]


def test_warnings_are_logged(output: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("something is old", stacklevel=1)
    (line,) = lines(output)
    assert line["logger"] == "py.warnings"
    assert "something is old" in line["event"]
