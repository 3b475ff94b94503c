"""What happens around every RPC, as its contract asks.

In this order: trace, deadline, caller, person, validation, the handler, and the mapping of errors.
It is composed once a method, at start; a call pays for what its contract asks and nothing else.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc
import structlog
from google.protobuf.message import Message
from prometheus_client import Counter, Histogram

from kernel.errors import BlytzError
from servicekit.access import Verifier, admit_caller, admit_person
from servicekit.call import Call, current_call
from servicekit.contract import MethodContract
from servicekit.deadlines import Deadlines
from servicekit.errors import (
    STATUS_CODES,
    STATUS_DETAILS_KEY,
    InternalFault,
    TimedOut,
    to_status,
)
from servicekit.telemetry import start_sampled_span
from servicekit.tls import CallerOf
from servicekit.validation import validator_of

TIME_TO_REPORT_S = 0.02
"""Shaved off every deadline, so that a call that runs out of time can still say so."""

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

log = structlog.get_logger(__name__)

_duration_seconds = Histogram(
    "blytz_rpc_duration_seconds",
    "How long a call took, by method and status code.",
    ["method", "code"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
_stream_messages = Counter(
    "blytz_rpc_stream_messages_total", "Messages sent on streams, by method.", ["method"]
)


class RpcAdapter:
    """Makes gRPC handlers out of plain ones, by their contracts."""

    def __init__(self, *, caller_of: CallerOf, verifier: Verifier) -> None:
        self._caller_of = caller_of
        self._verifier = verifier
        self._deadlines = Deadlines()

    def adapt(self, method: MethodContract, handler: Callable[..., Any]) -> Handler:
        """Return the gRPC handler of one method.

        ``handler(request, call)`` is a coroutine function for unary calls and an async generator
        function for streams; a message that is ``bytes`` is sent as it is.
        """
        build: Callable[..., Handler]
        behaviour: Callable[[Any, Any], Any]
        if method.client_streaming and method.server_streaming:
            build, behaviour = grpc.stream_stream_rpc_method_handler, self._stream(method, handler)
        elif method.server_streaming:
            build, behaviour = grpc.unary_stream_rpc_method_handler, self._stream(method, handler)
        elif method.client_streaming:
            build, behaviour = grpc.stream_unary_rpc_method_handler, self._unary(method, handler)
        else:
            build, behaviour = grpc.unary_unary_rpc_method_handler, self._unary(method, handler)
        return build(
            behaviour,
            request_deserializer=method.request_class.FromString,
            response_serializer=_serialize,
        )

    def _unary(
        self, method: MethodContract, handler: Callable[[Any, Call], Awaitable[Any]]
    ) -> Callable[[Any, Any], Awaitable[Any]]:
        admitted = _admission_of(method)
        ok_seconds = _duration_seconds.labels(method.path, "OK")

        async def serve(request: Any, context: Any) -> Any:
            started_s = time.perf_counter()
            call = self._call(method, context)
            try:
                with (
                    start_sampled_span(method.path, call.traceparent),
                    self._deadlines.within(call.deadline_s()),
                ):
                    admit_caller(method, call.caller)
                    await admit_person(call, self._verifier)
                    response = await handler(admitted(request), call)
                    if method.cache_max_age_s:
                        await context.send_initial_metadata((_cache_control(method, call),))
            except Exception as error:  # noqa: BLE001 - every fault becomes a status, once, here
                await _abort(context, method, error, started_s)
            ok_seconds.observe(time.perf_counter() - started_s)
            return response

        return serve

    def _stream(
        self, method: MethodContract, handler: Callable[[Any, Call], AsyncGenerator[Any, None]]
    ) -> Callable[[Any, Any], AsyncIterator[Any]]:
        admitted = _admission_of(method)
        ok_seconds = _duration_seconds.labels(method.path, "OK")
        messages = _stream_messages.labels(method.path)

        async def serve(request: Any, context: Any) -> AsyncIterator[Any]:
            started_s = time.perf_counter()
            call = self._call(method, context)
            try:
                admit_caller(method, call.caller)
                await admit_person(call, self._verifier)
                async with aclosing(handler(admitted(request), call)) as responses:
                    async for response in responses:
                        messages.inc()
                        yield response
            except Exception as error:  # noqa: BLE001 - every fault becomes a status, once, here
                await _abort(context, method, error, started_s)
            ok_seconds.observe(time.perf_counter() - started_s)

        return serve

    def _call(self, method: MethodContract, context: Any) -> Call:
        metadata = dict(context.invocation_metadata())
        timeout_s = method.timeout_s
        remaining_s = context.time_remaining()
        if remaining_s is not None and timeout_s is not None:
            timeout_s = min(timeout_s, remaining_s)
        call = Call(
            method=method,
            metadata=metadata,
            caller=self._caller_of(context, metadata),
            timeout_s=None if timeout_s is None else timeout_s - TIME_TO_REPORT_S,
        )
        current_call.set(call)
        return call


def _admission_of(method: MethodContract) -> Callable[[Any], Any]:
    """Return what lets only valid requests through: one message, or each of a stream."""
    check = validator_of(method.request_class)
    if check is None:
        return lambda request: request
    if method.client_streaming:
        return lambda requests: _validated_each(check, requests)

    def admit(request: Message) -> Message:
        check(request)
        return request

    return admit


async def _validated_each(
    check: Callable[[Message], None], requests: AsyncIterator[Message]
) -> AsyncIterator[Message]:
    async for request in requests:
        check(request)
        yield request


def _cache_control(method: MethodContract, call: Call) -> tuple[str, str]:
    """Return the header for caches; the gateway passes it on to browsers and the edge cache."""
    if call.person is not None:
        return ("cache-control", "private, no-store")
    return ("cache-control", f"public, max-age={method.cache_max_age_s}")


def _serialize(message: Any) -> bytes:
    return message if type(message) is bytes else message.SerializeToString()


async def _abort(context: Any, method: MethodContract, fault: Exception, started_s: float) -> None:
    """End the call with the status of ``fault``; it always raises."""
    if isinstance(fault, BlytzError):
        error = fault
    elif isinstance(fault, TimeoutError):
        error = TimedOut()
    else:
        log.error("call_failed", method=method.path, exc_info=fault)
        error = InternalFault()
    status = to_status(error)
    code = STATUS_CODES[error.kind]
    _duration_seconds.labels(method.path, code.name).observe(time.perf_counter() - started_s)
    await context.abort(code, status.message, ((STATUS_DETAILS_KEY, status.SerializeToString()),))
