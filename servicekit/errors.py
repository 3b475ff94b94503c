"""The contract's common errors, those of ``kernel`` among them, and their form on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import grpc
from google.protobuf.any_pb2 import Any as PackedMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from kernel.errors import (
    BlytzError,
    DependencyUnavailable,
    ErrorKind,
    Overloaded,
    PageTokenInvalid,
    RequestIdReused,
)

__all__ = [
    "CallerNotAllowed",
    "DependencyUnavailable",
    "FieldViolation",
    "InternalFault",
    "InvalidRequest",
    "Overloaded",
    "PageTokenInvalid",
    "RateLimited",
    "RequestIdReused",
    "RoleMissing",
    "TimedOut",
    "TokenExpired",
    "TokenInvalid",
    "TokenMissing",
    "to_status",
]

ERROR_DOMAIN = "blytz.live"
STATUS_DETAILS_KEY = "grpc-status-details-bin"
VIOLATIONS_MAX = 16

STATUS_CODES: dict[ErrorKind, grpc.StatusCode] = {
    ErrorKind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorKind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    ErrorKind.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    ErrorKind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorKind.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    ErrorKind.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorKind.ABORTED: grpc.StatusCode.ABORTED,
    ErrorKind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorKind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorKind.TIMED_OUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    ErrorKind.UNIMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    ErrorKind.INTERNAL: grpc.StatusCode.INTERNAL,
}


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field that breaks a rule: its path (``maximum.amount_minor``), the rule, a sentence."""

    field: str
    rule_id: str
    description: str


class InvalidRequest(BlytzError):
    """The request breaks the contract: {summary}."""

    # Only the first violations are told: an error travels in headers, and those are limited.

    kind = ErrorKind.INVALID
    reason = "INVALID_REQUEST"

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        self.violations = tuple(violations)[:VIOLATIONS_MAX]
        summary = "; ".join(f"{v.field or 'request'}: {v.description}" for v in self.violations)
        super().__init__(summary=summary)


class TokenMissing(BlytzError):
    """This call needs an access token: sign in and send it as "authorization: Bearer …"."""

    kind = ErrorKind.UNAUTHENTICATED
    reason = "TOKEN_MISSING"


class TokenInvalid(BlytzError):
    """The access token is not valid here."""

    kind = ErrorKind.UNAUTHENTICATED
    reason = "TOKEN_INVALID"


class TokenExpired(BlytzError):
    """The access token has expired: get a new one with RefreshToken."""

    kind = ErrorKind.UNAUTHENTICATED
    reason = "TOKEN_EXPIRED"


class CallerNotAllowed(BlytzError):
    """The contract of {method} does not allow the calling workload {caller}."""

    kind = ErrorKind.FORBIDDEN
    reason = "CALLER_NOT_ALLOWED"
    public_facts = frozenset({"method", "caller"})


class RoleMissing(BlytzError):
    """This call needs the role {role}."""

    kind = ErrorKind.FORBIDDEN
    reason = "ROLE_MISSING"
    public_facts = frozenset({"role"})


class RateLimited(BlytzError):
    """Too many calls: the contract allows {per_second} a second."""

    kind = ErrorKind.EXHAUSTED
    reason = "RATE_LIMITED"
    public_facts = frozenset({"per_second"})


class TimedOut(BlytzError):
    """The time for this call is over: its outcome is unknown."""

    kind = ErrorKind.TIMED_OUT
    reason = "TIMED_OUT"


class InternalFault(BlytzError):
    """Something went wrong on our side; it has been recorded."""

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL
    reason = "INTERNAL"


def to_status(error: BlytzError) -> Status:
    """Return the error as ``google.rpc.Status`` with ErrorInfo, BadRequest and RetryInfo."""
    status = Status(code=STATUS_CODES[error.kind].value[0], message=error.message)
    _pack(status, ErrorInfo(reason=error.reason, domain=ERROR_DOMAIN, metadata=error.metadata))
    if isinstance(error, InvalidRequest):
        _pack(
            status,
            BadRequest(
                field_violations=[
                    BadRequest.FieldViolation(
                        field=violation.field,
                        reason=violation.rule_id,
                        description=violation.description,
                    )
                    for violation in error.violations
                ]
            ),
        )
    if error.retry_after_s is not None:
        delay = Duration()
        delay.FromNanoseconds(int(error.retry_after_s * 1e9))
        _pack(status, RetryInfo(retry_delay=delay))
    return status


def _pack(status: Status, detail: ErrorInfo | BadRequest | RetryInfo) -> None:
    packed = PackedMessage()
    packed.Pack(detail)
    status.details.append(packed)
