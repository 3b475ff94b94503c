"""Connections to the gateway, shared by any number of sessions."""

import asyncio
import itertools
import time
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import Message

from blytz_client.backoff import Backoff
from blytz_client.errors import BlytzCallError, from_rpc_error
from blytz_client.policy import MethodPolicy

ROUTE_KEY_HEADER = "x-route-key"
CALL_BACKOFF = Backoff(first_s=0.05, longest_s=2.0)

Response = TypeVar("Response", bound=Message)
StreamCall = Any
"""A running ``grpc.aio.UnaryStreamCall``; grpcio's own type does not know its responses."""


class Connection:
    """A few HTTP/2 connections to one gateway; calls take turns on them.

    ``http://`` speaks cleartext HTTP/2, ``https://`` TLS with ``root_certificates`` (PEM) or, by
    default, the system's.
    """

    def __init__(
        self, edge_url: str, *, root_certificates: bytes | None = None, connections: int = 1
    ) -> None:
        url = urlsplit(edge_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError(f"{edge_url!r} is no http:// or https:// address")
        host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        port = url.port or (443 if url.scheme == "https" else 80)
        credentials = (
            grpc.ssl_channel_credentials(root_certificates) if url.scheme == "https" else None
        )
        self._channels = [_open(f"{host}:{port}", credentials) for _ in range(connections)]
        self._turns = itertools.cycle(range(connections))
        self._callables: dict[tuple[int, str], Any] = {}

    async def close(self) -> None:
        """Close the connections; running calls are cancelled."""
        for channel in self._channels:
            await channel.close(None)

    async def unary(
        self,
        method: MethodPolicy,
        request: Message,
        response_type: type[Response],
        *,
        authorization: str | None = None,
        patience_s: float = 0.0,
    ) -> Response:
        """Call an RPC with the contract's deadline and return its response.

        A call that the contract lets be repeated is sent again, unchanged, while the answer is
        UNAVAILABLE and less than ``patience_s`` have passed. Raises ``BlytzCallError``.
        """
        metadata = _metadata(method, request, authorization)
        give_up_s = time.monotonic() + patience_s
        for attempt in itertools.count():
            try:
                response: Response = await self._unary_callable(method, response_type)(
                    request, timeout=method.timeout_s, metadata=metadata
                )
            except grpc.aio.AioRpcError as rpc_error:
                error = from_rpc_error(rpc_error)
            else:
                return response
            delay_s = CALL_BACKOFF.delay_s(attempt, error.retry_after_s)
            if not _worth_retrying(method, error) or time.monotonic() + delay_s > give_up_s:
                raise error
            await asyncio.sleep(delay_s)
        raise AssertionError("the loop above ends by returning or raising")

    def stream(
        self,
        method: MethodPolicy,
        request: Message,
        response_type: type[Message],
        *,
        authorization: str | None = None,
    ) -> StreamCall:
        """Open a server stream; the caller reads it and cancels it."""
        turn = next(self._turns)
        key = (turn, method.path)
        if key not in self._callables:
            self._callables[key] = self._channels[turn].unary_stream(
                method.path,
                request_serializer=_serialize,
                response_deserializer=response_type.FromString,
            )
        return self._callables[key](
            request,
            timeout=method.timeout_s,
            metadata=_metadata(method, request, authorization),
        )

    def _unary_callable(self, method: MethodPolicy, response_type: type[Message]) -> Any:
        turn = next(self._turns)
        key = (turn, method.path)
        if key not in self._callables:
            self._callables[key] = self._channels[turn].unary_unary(
                method.path,
                request_serializer=_serialize,
                response_deserializer=response_type.FromString,
            )
        return self._callables[key]


def _open(target: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    options: list[tuple[str, Any]] = [
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.keepalive_time_ms", 30_000),
        # Otherwise equal channels share one TCP connection.
        ("grpc.use_local_subchannel_pool", 1),
        # Retries are this client's own, with the same request and its request_id.
        ("grpc.enable_retries", 0),
    ]
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=options)
    return grpc.aio.secure_channel(target, credentials, options=options)


def _metadata(
    method: MethodPolicy, request: Message, authorization: str | None
) -> tuple[tuple[str, str], ...]:
    pairs = []
    if authorization is not None:
        pairs.append(("authorization", f"Bearer {authorization}"))
    route_key = method.route_key(request)
    if route_key is not None:
        pairs.append((ROUTE_KEY_HEADER, route_key))
    return tuple(pairs)


def _worth_retrying(method: MethodPolicy, error: BlytzCallError) -> bool:
    return method.retryable and error.status is grpc.StatusCode.UNAVAILABLE


def _serialize(request: Message) -> bytes:
    return request.SerializeToString()
