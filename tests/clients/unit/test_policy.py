import pytest

from blytz.auction.v1 import auction_service_pb2
from blytz.auction.v1.auction_service_pb2 import PlaceBidRequest
from blytz_client.backoff import Backoff
from blytz_client.policy import policies_of
from blytz_client.public_calls import AUCTION
from blytz_client.session import AUTH, USER, WALLET


def test_deadlines_retries_and_routes_are_those_of_the_contract() -> None:
    place_bid = AUCTION["PlaceBid"]
    assert place_bid.path == "/blytz.auction.v1.AuctionService/PlaceBid"
    assert place_bid.timeout_s == 2.0
    assert place_bid.retryable
    assert place_bid.route_key(PlaceBidRequest(auction_id="an-auction")) == "an-auction"
    assert not AUTH["Login"].retryable
    assert not AUTH["RefreshToken"].retryable, "a refresh token works once"
    assert AUCTION["PlaceBids"].timeout_s is None
    assert USER["GetMe"].route_key(PlaceBidRequest()) is None
    assert WALLET["CreateDeposit"].timeout_s == 15.0


def test_every_rpc_of_the_contract_has_a_policy() -> None:
    service = auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]
    assert set(policies_of(service)) == {method.name for method in service.methods}


def test_waits_double_up_to_the_longest_and_are_spread() -> None:
    backoff = Backoff(first_s=0.1, longest_s=1.0)
    for attempt, most_s in enumerate([0.1, 0.2, 0.4, 0.8, 1.0, 1.0]):
        delays_s = [backoff.delay_s(attempt) for _ in range(50)]
        assert most_s / 2 <= min(delays_s) <= max(delays_s) <= most_s
        assert len(set(delays_s)) > 1
    assert backoff.delay_s(1_000_000) <= 1.0


def test_a_wait_that_the_server_asks_for_is_never_cut_short() -> None:
    backoff = Backoff(first_s=0.1, longest_s=1.0)
    assert min(backoff.delay_s(0, 3.0) for _ in range(50)) == pytest.approx(3.05, abs=0.05)
    assert min(backoff.delay_s(0, 3.0) for _ in range(50)) > 3.0
