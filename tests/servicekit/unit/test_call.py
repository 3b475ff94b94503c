import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from blytz.auction.v1 import auction_service_pb2
from servicekit.call import Call, Person
from servicekit.contract import methods_of
from servicekit.errors import TokenMissing

SERVICE = auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]
METHOD = next(methods_of(SERVICE))
ADA = Person("ada", frozenset({"SELLER"}), "Ada", datetime.now(UTC))


def test_a_deadline_runs_down_to_zero() -> None:
    call = Call(method=METHOD, metadata={}, timeout_s=0.05)
    first = call.deadline_s()
    assert first is not None
    assert 0 < first <= 0.05
    time.sleep(0.06)
    assert call.deadline_s() == 0.0


def test_a_deadline_that_is_over_before_it_begins_is_zero() -> None:
    assert Call(method=METHOD, metadata={}, timeout_s=-0.02).deadline_s() == 0.0


def test_a_stream_may_have_no_deadline() -> None:
    assert Call(method=replace(METHOD, timeout_s=None), metadata={}).deadline_s() is None


def test_a_handler_that_needs_a_person_says_so() -> None:
    assert Call(method=METHOD, metadata={}, person=ADA).require_person() is ADA
    with pytest.raises(TokenMissing):
        Call(method=METHOD, metadata={}).require_person()
