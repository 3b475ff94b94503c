"""Logs: one JSON object a line on standard output, whoever writes it.

A line has ``time`` (UTC), ``level``, ``logger``, ``event``, ``service`` and, within a call,
``trace_id``. The standard library's logging comes out the same way. Personal data and secrets have
no place in a log: values under tell-tale names are dropped before they are written.
"""

import functools
import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from servicekit.call import current_call
from servicekit.telemetry import current_traceparent, trace_id_of

DROPPED = "[dropped]"

_PRIVATE_NAME = re.compile(
    r"passw|secret|token|authoriz|cookie|credential|api_?key|private_?key"
    r"|e_?mail|phone|(street|postal|home|shipping)_?address|\bcard_?number|iban"
)
_LIBRARY_LEVELS = {"asyncio": logging.WARNING, "aiohttp": logging.WARNING, "kafka": logging.WARNING}


def configure(*, service: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Make structlog and logging write JSON lines to ``stream`` (default: standard output).

    ``level`` is a name of logging, in any case; ``ValueError`` if it is none. Exceptions that
    nobody caught, on any thread, are logged as ``uncaught``.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"{level!r} is no log level")
    output = stream or sys.stdout
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _Stamp(service),
        structlog.processors.format_exc_info,
        drop_private_values,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]
    structlog.configure(
        processors=[_add_name_of_own_logger, *shared],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_Lines(output),
        cache_logger_on_first_use=True,
    )
    _route_standard_logging(output, number, shared)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_on_thread


def is_private_name(name: str) -> bool:
    """Tell whether values under this name, such as ``email`` or ``access_token``, are dropped."""
    return _is_private(name)


def drop_private_values(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> MutableMapping[str, Any]:
    """Replace what stands under tell-tale names, also inside of mappings."""
    for name, value in event.items():
        if _is_private(name):
            event[name] = DROPPED
        elif isinstance(value, dict):
            event[name] = _without_private_values(value)
    return event


@functools.lru_cache(maxsize=1024)
def _is_private(name: str) -> bool:
    return _PRIVATE_NAME.search(name.lower()) is not None


def _without_private_values(values: dict[Any, Any]) -> dict[Any, Any]:
    return {
        name: DROPPED
        if is_private_name(str(name))
        else _without_private_values(value)
        if isinstance(value, dict)
        else value
        for name, value in values.items()
    }


class _Stamp:
    """Adds which service wrote the line and for which trace."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = self._service
        call = current_call.get()
        traceparent = current_traceparent.get() or (call.traceparent if call else "")
        if traceparent:
            event["trace_id"] = trace_id_of(traceparent)
        return event


class _NamedLineLogger(structlog.WriteLogger):
    """A logger of structlog that writes lines and knows its name."""

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream)
        self.name = name


class _Lines:
    """Makes the loggers; ``structlog.get_logger(__name__)`` passes the name."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, *names: str) -> _NamedLineLogger:
        return _NamedLineLogger(self._stream, names[0] if names else "")


def _add_name_of_own_logger(logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["logger"] = logger.name
    return event


def _add_name_of_record(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["logger"] = event["_record"].name
    return event


def _route_standard_logging(stream: TextIO, level: int, shared: list[Processor]) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                _add_name_of_record,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *shared,
            ]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, library_level in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(level, library_level))
    logging.captureWarnings(True)


def _log_uncaught(
    kind: type[BaseException], fault: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, fault, traceback)
        return
    structlog.get_logger("uncaught").critical("uncaught", exc_info=(kind, fault, traceback))


def _log_uncaught_on_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is None:
        return
    structlog.get_logger("uncaught").critical(
        "uncaught",
        thread=arguments.thread.name if arguments.thread else "",
        exc_info=(arguments.exc_type, arguments.exc_value, arguments.exc_traceback),
    )
