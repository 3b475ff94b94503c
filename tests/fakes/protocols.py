"""The three ways into the gateway: native gRPC, gRPC-Web and JSON, spoken by hand.

Each calls any RPC of the contract, by its descriptor, and sees the same answer or the same error.
"""

import base64
import io
import json
import struct
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import grpc
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from blytz.auction.v1 import auction_service_pb2, show_service_pb2
from blytz.identity.v1 import auth_service_pb2, user_service_pb2
from blytz.payment.v1 import payment_service_pb2, wallet_service_pb2
from blytz.realtime.v1 import realtime_service_pb2

TIMEOUT_S = 15.0
_STATUS_BY_NUMBER = {status.value[0]: status for status in grpc.StatusCode}
_FRAME_HEAD = struct.Struct(">BI")
_TRAILERS = 0x80
_FILES = (
    *(auction_service_pb2, show_service_pb2, auth_service_pb2, user_service_pb2),
    *(payment_service_pb2, wallet_service_pb2, realtime_service_pb2),
)
SERVICES = [service for file in _FILES for service in file.DESCRIPTOR.services_by_name.values()]
METHODS = {method.name: method for service in SERVICES for method in service.methods}


@dataclass(frozen=True)
class Answer:
    """What came back: a message, or a status with its reason, facts and the fields at fault."""

    status: grpc.StatusCode
    message: Any = None
    reason: str = ""
    fields: frozenset[str] = field(default_factory=frozenset)
    facts: dict[str, str] = field(default_factory=dict)


class Protocol(ABC):
    """One way in; ``edge_url`` is the gateway."""

    name = ""

    def __init__(self, edge_url: str) -> None:
        self.edge_url = edge_url

    @abstractmethod
    async def call(
        self, method: MethodDescriptor, request: Message, *headers: tuple[str, str]
    ) -> Answer:
        """Make a unary call."""

    @abstractmethod
    def stream(self, method: MethodDescriptor, request: Message) -> AsyncGenerator[Any]:
        """Yield the messages of a server stream."""


class NativeGrpc(Protocol):
    """gRPC as grpcio speaks it."""

    name = "grpc"

    async def call(
        self, method: MethodDescriptor, request: Message, *headers: tuple[str, str]
    ) -> Answer:
        async with grpc.aio.insecure_channel(self.edge_url.removeprefix("http://")) as channel:
            try:
                message = await channel.unary_unary(
                    path_of(method),
                    request_serializer=_serialize,
                    response_deserializer=_class(method).FromString,
                )(request, metadata=headers, timeout=TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                trailers = dict(error.trailing_metadata() or ())
                details: Any = trailers.get("grpc-status-details-bin", b"")
                return _failed(error.code(), Status.FromString(details))
        return Answer(grpc.StatusCode.OK, message)

    async def stream(self, method: MethodDescriptor, request: Message) -> AsyncGenerator[Any]:
        async with grpc.aio.insecure_channel(self.edge_url.removeprefix("http://")) as channel:
            running = channel.unary_stream(
                path_of(method),
                request_serializer=_serialize,
                response_deserializer=_class(method).FromString,
            )(request)
            try:
                async for message in running:
                    yield message
            finally:
                running.cancel()


class GrpcWeb(Protocol):
    """gRPC-Web over HTTP/1.1, as a browser sends it."""

    name = "grpc-web"

    async def call(
        self, method: MethodDescriptor, request: Message, *headers: tuple[str, str]
    ) -> Answer:
        async with self._post(method, request, headers) as response:
            body, trailers = await response.read(), dict(response.headers)
        message = None
        while body:
            flags, length = _FRAME_HEAD.unpack_from(body)
            content, body = body[5 : 5 + length], body[5 + length :]
            if flags & _TRAILERS:
                lines = content.decode().strip().split("\r\n")
                trailers |= dict(line.split(":", 1) for line in lines)
            else:
                message = _class(method).FromString(content)
        status = _STATUS_BY_NUMBER[int(trailers["grpc-status"])]
        if status is grpc.StatusCode.OK:
            return Answer(status, message)
        packed = trailers.get("grpc-status-details-bin", "")
        details = Status.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4)))
        return _failed(status, details)

    async def stream(self, method: MethodDescriptor, request: Message) -> AsyncGenerator[Any]:
        async with self._post(method, request, ()) as response:
            while True:
                head = await response.content.readexactly(_FRAME_HEAD.size)
                flags, length = _FRAME_HEAD.unpack(head)
                content = await response.content.readexactly(length)
                if flags & _TRAILERS:
                    return
                yield _class(method).FromString(content)

    def _post(self, method: MethodDescriptor, request: Message, headers: Any) -> "_Response":
        body = _serialize(request)
        web = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
        return _Response(
            "POST",
            f"{self.edge_url}{path_of(method)}",
            headers=web | dict(headers),
            data=io.BytesIO(_FRAME_HEAD.pack(0, len(body)) + body),
        )


class Json(Protocol):
    """JSON over HTTP/1.1, at the path that the contract gives the RPC."""

    name = "json"

    async def call(
        self, method: MethodDescriptor, request: Message, *headers: tuple[str, str]
    ) -> Answer:
        verb, url, body = self._http(method, json_format.MessageToDict(request))
        return await self.send(method, verb, url, body, *headers)

    async def send(
        self, method: MethodDescriptor, verb: str, url: str, body: Any, *headers: tuple[str, str]
    ) -> Answer:
        """Send any JSON at all, also what no message could hold."""
        data = None if body is None else io.BytesIO(json.dumps(body).encode())
        kind = {"content-type": "application/json"}
        async with _Response(verb, url, data=data, headers=kind | dict(headers)) as response:
            text = await response.text()
        if response.status == HTTPStatus.OK:
            message = json_format.Parse(text, _class(method)())
            return Answer(grpc.StatusCode.OK, message)
        if response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return Answer(grpc.StatusCode.RESOURCE_EXHAUSTED)
        status = json_format.Parse(text, Status())
        return _failed(_STATUS_BY_NUMBER[status.code], status)

    async def stream(self, method: MethodDescriptor, request: Message) -> AsyncGenerator[Any]:
        verb, url, body = self._http(method, json_format.MessageToDict(request))
        async with _Response(verb, url, json=body) as response:
            async for line in response.content:
                yield json_format.Parse(line, _class(method)())

    def _http(
        self, method: MethodDescriptor, fields: dict[str, Any]
    ) -> tuple[str, str, dict[str, Any] | None]:
        """Return verb, address and body by the method's `google.api.http` option."""
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        verb = rule.WhichOneof("pattern")
        path = getattr(rule, verb)
        for descriptor in method.input_type.fields:
            if f"{{{descriptor.name}}}" in path:
                value = quote(str(fields.pop(descriptor.json_name, "")), safe="")
                path = path.replace(f"{{{descriptor.name}}}", value)
        if rule.body:
            return verb.upper(), f"{self.edge_url}{path}", fields
        query = urlencode(list(_flattened(fields)))
        return verb.upper(), f"{self.edge_url}{path}?{query}", None


class _Response:
    """One request with a session of its own, so that nothing is left open."""

    def __init__(self, verb: str, url: str, **options: Any) -> None:
        self._request = (verb, url)
        self._options = options

    async def __aenter__(self) -> aiohttp.ClientResponse:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout, read_bufsize=1 << 20)
        try:
            self._response = await self._session.request(*self._request, **self._options)
        except BaseException:
            await self._session.close()
            raise
        return self._response

    async def __aexit__(self, *_error: object) -> None:
        self._response.close()
        await self._session.close()


PROTOCOLS: tuple[type[Protocol], ...] = (NativeGrpc, GrpcWeb, Json)


def path_of(method: MethodDescriptor) -> str:
    """The RPC's gRPC path."""
    return f"/{method.containing_service.full_name}/{method.name}"


def bearer(token: str) -> tuple[str, str]:
    """The header that carries an access token."""
    return ("authorization", f"Bearer {token}")


def _flattened(fields: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield fields as query parameters; a message's as `resumeFrom.sequence`."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def _class(method: MethodDescriptor) -> Any:
    return GetMessageClass(method.output_type)


def _serialize(request: Message) -> bytes:
    return request.SerializeToString()


def _failed(code: grpc.StatusCode, status: Status) -> Answer:
    info, bad = ErrorInfo(), BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
    if info.reason:
        assert info.domain == "blytz.live"
    fields = frozenset(violation.field for violation in bad.field_violations)
    return Answer(code, None, info.reason, fields, dict(info.metadata))
