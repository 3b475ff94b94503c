import pytest

from blytz.auction.v1 import auction_service_pb2
from servicekit.contract import methods_of
from servicekit.errors import RateLimited
from servicekit.rate import TokenBucket

SERVICE = auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(bucket: TokenBucket, count: int) -> int:
    for number in range(count):
        try:
            bucket.take()
        except RateLimited:
            return number
    return count


def test_a_burst_comes_at_once_and_no_more(clock: Clock) -> None:
    bucket = TokenBucket(per_second=4, burst=10, clock=clock)
    assert taken(bucket, 100) == 10


def test_tokens_come_back_at_the_rate(clock: Clock) -> None:
    bucket = TokenBucket(per_second=4, burst=10, clock=clock)
    taken(bucket, 10)
    clock.now_s += 0.5
    assert taken(bucket, 100) == 2
    clock.now_s += 1_000
    assert taken(bucket, 100) == 10


def test_asking_too_often_costs_nothing(clock: Clock) -> None:
    bucket = TokenBucket(per_second=4, burst=1, clock=clock)
    taken(bucket, 1)
    for _ in range(9):
        clock.now_s += 0.025
        assert taken(bucket, 1) == 0
    clock.now_s += 0.03
    assert taken(bucket, 1) == 1


def test_who_is_too_fast_learns_when_to_come_back(clock: Clock) -> None:
    bucket = TokenBucket(per_second=4, burst=1, clock=clock)
    bucket.take()
    with pytest.raises(RateLimited) as refused:
        bucket.take()
    assert refused.value.retry_after_s == pytest.approx(0.25)
    assert refused.value.metadata == {"per_second": "4"}
    clock.now_s += 0.2501
    bucket.take()


def test_no_rate_in_the_contract_is_no_limit() -> None:
    methods = {method.name: method for method in methods_of(SERVICE)}
    assert taken(TokenBucket.of(methods["GetAuction"]), 1_000) == 1_000
    assert taken(TokenBucket.of(methods["PlaceBids"]), 1_000) < 60
