from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import EnumDescriptor
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from blytz.auction.v1 import error_reason_pb2 as auction_reasons
from blytz.common.v1 import error_reason_pb2 as common_reasons
from kernel.errors import BlytzError, ErrorKind, Overloaded
from servicekit import errors
from servicekit.errors import (
    STATUS_CODES,
    VIOLATIONS_MAX,
    CallerNotAllowed,
    FieldViolation,
    InternalFault,
    InvalidRequest,
    to_status,
)
from svc_auction.domain import errors as auction_errors
from svc_auction.domain import show_errors

HEADERS_BYTES_MAX = 8_192
"""Where grpc-core begins to refuse headers."""


def details(status: Status) -> list[str]:
    return [detail.type_url.rsplit(".", 1)[-1] for detail in status.details]


def reasons_of(enum: EnumDescriptor) -> set[str]:
    return {value.name.removeprefix("ERROR_REASON_") for value in enum.values}


def subclasses(kind: type[BlytzError]) -> Iterator[type[BlytzError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_has_a_status_of_its_own(kind: ErrorKind) -> None:
    assert kind in STATUS_CODES
    assert len(set(STATUS_CODES.values())) == len(ErrorKind)


def test_an_error_says_why_and_where() -> None:
    status = to_status(CallerNotAllowed(method="/a/B", caller="payment"))
    assert (status.code, details(status)) == (7, ["ErrorInfo"])
    assert status.message == "The contract of /a/B does not allow the calling workload payment."
    info = ErrorInfo()
    status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("CALLER_NOT_ALLOWED", "blytz.live")
    assert dict(info.metadata) == {"method": "/a/B", "caller": "payment"}


def test_bad_input_names_each_field() -> None:
    violations = [
        FieldViolation("maximum.amount_minor", "int64.gte", "must be positive"),
        FieldViolation("", "a.rule", "does not fit together"),
    ]
    status = to_status(InvalidRequest(violations))
    assert (status.code, details(status)) == (3, ["ErrorInfo", "BadRequest"])
    assert status.message == (
        "The request breaks the contract: maximum.amount_minor: must be positive;"
        " request: does not fit together."
    )
    bad = BadRequest()
    status.details[1].Unpack(bad)
    assert [(v.field, v.reason, v.description) for v in bad.field_violations] == [
        ("maximum.amount_minor", "int64.gte", "must be positive"),
        ("", "a.rule", "does not fit together"),
    ]


def test_very_bad_input_still_fits_into_headers() -> None:
    violation = FieldViolation("terms.increments[49].price_from_minor", "int64.gte_lte", "x" * 60)
    error = InvalidRequest([violation] * 1_000)
    assert len(error.violations) == VIOLATIONS_MAX
    status = to_status(error)
    assert len(status.SerializeToString()) * 4 / 3 + len(status.message) < HEADERS_BYTES_MAX


def test_a_wait_says_how_long() -> None:
    status = to_status(Overloaded(retry_after_s=0.25))
    assert (status.code, details(status)) == (8, ["ErrorInfo", "RetryInfo"])
    wait = RetryInfo()
    status.details[1].Unpack(wait)
    assert wait.retry_delay.ToTimedelta().total_seconds() == 0.25


def test_a_fault_of_ours_tells_nothing() -> None:
    status = to_status(InternalFault())
    assert (status.code, details(status)) == (13, ["ErrorInfo"])


def test_every_common_reason_stands_in_the_contract() -> None:
    known = reasons_of(common_reasons.ErrorReason.DESCRIPTOR)
    for error in subclasses(BlytzError):
        if error.__module__ in {"kernel.errors", errors.__name__}:
            assert error.reason in known, error


def test_every_reason_of_an_auction_stands_in_the_contract() -> None:
    own = reasons_of(auction_reasons.ErrorReason.DESCRIPTOR) - {"UNSPECIFIED"}
    modules = {auction_errors.__name__, show_errors.__name__}
    raised = {error.reason for error in subclasses(BlytzError) if error.__module__ in modules}
    assert own <= raised
    assert raised <= own | reasons_of(common_reasons.ErrorReason.DESCRIPTOR)
