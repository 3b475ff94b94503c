"""What the gateway says when it answers by itself: the contract's reasons, to every kind of client.

A gRPC or gRPC-Web client gets the status, a readable message and `google.rpc.ErrorInfo` in
`grpc-status-details-bin`; a JSON client gets the same as a `google.rpc.Status` body.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from toolchain.envoy.parameters import ORIGINAL_PATH_HEADER, TYPE


def _header_filter(name: str, **match: Any) -> dict[str, Any]:
    return {"header_filter": {"header": {"name": name, **match}}}


# Behind the transcoder a JSON call looks like gRPC, but for the header that it leaves.
GRPC = (
    _header_filter("content-type", string_match={"prefix": "application/grpc"}),
    _header_filter(ORIGINAL_PATH_HEADER, present_match=False),
)
GRPC_WEB = (*GRPC, _header_filter("x-grpc-web", present_match=True))
DOMAIN = "blytz.live"
ACCESS_LOG = f"{TYPE}.extensions.access_loggers"
TYPE_KEY = "@type"


@dataclass(frozen=True, kw_only=True)
class LocalReply:
    """One answer of the gateway's own."""

    http_status: int
    code: int
    reason: str
    message: str
    cause: str = ""
    """What Envoy's response code details contain; empty means whatever has the HTTP status."""
    http_status_to_client: int = 0
    """The HTTP status that the client gets instead; 0 means the same."""
    retry_after_s: int = 0


ORIGINAL = "%LOCAL_REPLY_BODY%"
"""Envoy's own words, where they say more than ours could."""

LOCAL_REPLIES = (
    LocalReply(
        http_status=400,
        cause="transcode_failure",
        code=Code.INVALID_ARGUMENT,
        reason="INVALID_REQUEST",
        message=ORIGINAL,
    ),
    LocalReply(
        http_status=401,
        cause="Jwt_is_missing",
        code=Code.UNAUTHENTICATED,
        reason="TOKEN_MISSING",
        message="The call needs an access token.",
    ),
    LocalReply(
        http_status=401,
        cause="Jwt_is_expired",
        code=Code.UNAUTHENTICATED,
        reason="TOKEN_EXPIRED",
        message="The access token has expired; get a new one with RefreshToken.",
    ),
    LocalReply(
        http_status=401,
        cause="Jwks_remote_fetch_is_failed",
        http_status_to_client=503,
        code=Code.UNAVAILABLE,
        reason="DEPENDENCY_UNAVAILABLE",
        message="Access tokens cannot be checked at the moment; try again.",
        retry_after_s=1,
    ),
    LocalReply(
        http_status=401,
        code=Code.UNAUTHENTICATED,
        reason="TOKEN_INVALID",
        message="The access token is not valid.",
    ),
    LocalReply(
        http_status=403,
        cause="jwt_authn_access_denied",
        http_status_to_client=401,
        code=Code.UNAUTHENTICATED,
        reason="TOKEN_INVALID",
        message="The access token is for somebody else.",
    ),
    LocalReply(
        http_status=404,
        code=Code.UNIMPLEMENTED,
        reason="UNKNOWN_METHOD",
        message="There is no such RPC.",
    ),
    LocalReply(
        http_status=429,
        code=Code.RESOURCE_EXHAUSTED,
        reason="RATE_LIMITED",
        message="The calls come faster than the contract allows; slow down.",
        retry_after_s=1,
    ),
    LocalReply(
        http_status=503,
        code=Code.UNAVAILABLE,
        reason="DEPENDENCY_UNAVAILABLE",
        message="The service is away for the moment; try again.",
        retry_after_s=1,
    ),
    LocalReply(
        http_status=504,
        code=Code.DEADLINE_EXCEEDED,
        reason="TIMED_OUT",
        message="The time that the contract allows is over; the outcome is unknown.",
    ),
)


def local_reply_config() -> dict[str, Any]:
    """Return the mapping of Envoy's own answers; the first that matches holds."""
    return {
        "mappers": [mapper for reply in LOCAL_REPLIES for mapper in _mappers(reply)],
    }


def status_of(reply: LocalReply) -> Status:
    """Return the answer as the status that a service of ours would give."""
    status = Status(code=reply.code, message=reply.message)
    details: list[ErrorInfo | RetryInfo] = [ErrorInfo(reason=reply.reason, domain=DOMAIN)]
    if reply.retry_after_s:
        wait = RetryInfo()
        wait.retry_delay.seconds = reply.retry_after_s
        details.append(wait)
    for detail in details:
        packed = Packed()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _mappers(reply: LocalReply) -> Iterator[dict[str, Any]]:
    """Yield the answer to gRPC-Web clients, to gRPC clients, and to all others, in this order."""
    filters = [_status_filter(reply.http_status)]
    if reply.cause:
        filters.append(_cause_filter(reply.cause))
    details = base64.b64encode(status_of(reply).SerializeToString(deterministic=True))
    grpc_headers = {"grpc-status-details-bin": details.decode().rstrip("=")}
    status = reply.http_status_to_client or reply.http_status
    if reply.message != ORIGINAL:
        # A browser's client believes the HTTP status before the trailers: 429 would be UNAVAILABLE.
        yield {
            "filter": {"and_filter": {"filters": [*filters, *GRPC_WEB]}},
            "status_code": 200,
            "body_format_override": {
                "text_format_source": {"inline_string": ""},
                "content_type": "application/grpc",
            },
            "headers_to_add": _headers(
                {
                    "grpc-status": str(reply.code),
                    "grpc-message": reply.message,
                    **grpc_headers,
                }
            ),
        }
        yield {
            "filter": {"and_filter": {"filters": [*filters, *GRPC]}},
            "status_code": status,
            "body_format_override": {"text_format_source": {"inline_string": reply.message}},
            "headers_to_add": _headers(grpc_headers),
        }
    waiting = {"retry-after": str(reply.retry_after_s)} if reply.retry_after_s else {}
    yield {
        "filter": filters[0] if len(filters) == 1 else {"and_filter": {"filters": filters}},
        "status_code": status,
        "body_format_override": {
            "json_format": _json_of(reply),
            "content_type": "application/json",
        },
        "headers_to_add": _headers(waiting),
    }


def _json_of(reply: LocalReply) -> dict[str, Any]:
    """Return the status in the JSON form of google.rpc.Status."""
    prefix = "type.googleapis.com/google.rpc."
    details: list[dict[str, Any]] = [
        {TYPE_KEY: f"{prefix}ErrorInfo", "reason": reply.reason, "domain": DOMAIN}
    ]
    if reply.retry_after_s:
        delay = f"{reply.retry_after_s}s"
        details.append({TYPE_KEY: f"{prefix}RetryInfo", "retryDelay": delay})
    return {"code": reply.code, "message": reply.message, "details": details}


def _status_filter(http_status: int) -> dict[str, Any]:
    value = {"default_value": http_status, "runtime_key": "local_reply.status"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _cause_filter(cause: str) -> dict[str, Any]:
    return {
        "extension_filter": {
            "name": "cause",
            "typed_config": {
                TYPE_KEY: f"{ACCESS_LOG}.filters.cel.v3.ExpressionFilter",
                "expression": f"response.code_details.contains('{cause}')",
            },
        }
    }


def _headers(headers: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for key, value in headers.items()
    ]
