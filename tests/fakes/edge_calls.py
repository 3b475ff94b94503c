"""Calls through the gateway as its clients make them: raw gRPC bytes, and HTTP/1.1."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from fakes.gateway import Gateway

Metadata = tuple[str, str]
Detail = TypeVar("Detail", bound=Message)
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Outcome:
    """What a gRPC client saw."""

    code: grpc.StatusCode
    message: str
    status: Status

    def detail(self, kind: type[Detail]) -> Detail:
        """Return the detail of this type; fail if there is none."""
        found = kind()
        assert any(packed.Unpack(found) for packed in self.status.details), self
        return found

    @property
    def reason(self) -> str:
        info = self.detail(ErrorInfo)
        assert info.domain == "blytz.live"
        return str(info.reason)

    @property
    def retry_after_s(self) -> int:
        return int(self.detail(RetryInfo).retry_delay.seconds)


@dataclass(frozen=True)
class HttpAnswer:
    """What an HTTP client saw."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return str(self.json["details"][0]["reason"])


def call(channel: grpc.Channel, path: str, *metadata: Metadata, request: bytes = b"") -> Outcome:
    """Make a unary call; the answer's bytes do not matter."""
    unary: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
    ended = unary.future(request, metadata=metadata, timeout=TIMEOUT_S)
    if ended.code() is not grpc.StatusCode.OK:
        trailers = dict(ended.trailing_metadata() or ())
        details = trailers.get("grpc-status-details-bin", b"")
        assert isinstance(details, bytes)
        return Outcome(ended.code(), ended.details() or "", Status.FromString(details))
    return Outcome(grpc.StatusCode.OK, "", Status())


def http(
    gateway: Gateway,
    method: str,
    path: str,
    *headers: Metadata,
    body: bytes | None = None,
) -> HttpAnswer:
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        found = {key.lower(): value for key, value in answer.getheaders()}
        return HttpAnswer(answer.status, found, answer.read())
    finally:
        connection.close()
