"""The one error of the client: what the contract says about a failed call."""

from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

STATUS_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field of the request that breaks a rule of the contract."""

    field: str
    rule_id: str
    description: str


class BlytzCallError(Exception):
    """A call failed.

    ``status`` is the gRPC code; ``reason`` is the contract's ``ErrorReason`` without prefix, empty
    when no Blytz service answered (the gateway or the network did); ``metadata`` are its facts;
    ``field_violations`` name bad input; ``retry_after_s`` says when to come back, if it does.
    """

    def __init__(
        self,
        status: grpc.StatusCode,
        message: str = "",
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        field_violations: tuple[FieldViolation, ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{status.name} / {reason or '-'}: {message}")
        self.status = status
        self.message = message
        self.reason = reason
        self.metadata: Mapping[str, str] = metadata or {}
        self.field_violations = field_violations
        self.retry_after_s = retry_after_s


def from_rpc_error(error: grpc.aio.AioRpcError) -> BlytzCallError:
    """Return the error with the details that the service packed into the trailers."""
    reason, metadata, retry_after_s = "", dict[str, str](), None
    violations: tuple[FieldViolation, ...] = ()
    for detail in _status_of(error).details:
        info, bad_request, retry = ErrorInfo(), BadRequest(), RetryInfo()
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad_request):
            violations = tuple(
                FieldViolation(violation.field, violation.reason, violation.description)
                for violation in bad_request.field_violations
            )
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    return BlytzCallError(
        error.code(),
        error.details() or "",
        reason=reason,
        metadata=metadata,
        field_violations=violations,
        retry_after_s=retry_after_s,
    )


def _status_of(error: grpc.aio.AioRpcError) -> Status:
    for key, value in error.trailing_metadata() or ():
        if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
            return Status.FromString(value)
    return Status()
