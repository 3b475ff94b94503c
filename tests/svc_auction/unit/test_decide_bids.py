from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.auction_books import (
    ADA,
    AUCTION_ID,
    BOB,
    CYD,
    END,
    bid_of,
    soft_close,
    terms_of,
)
from fakes.benches import bench_of
from kernel.errors import BlytzError, RequestIdReused
from kernel.ids import new_id
from svc_auction.application.decide_bids import Bench, Decisions, decide_bids
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.domain.errors import (
    AuctionNotFound,
    BidTooLow,
    CurrencyMismatch,
    InsufficientFunds,
    MaximumNotRaised,
)
from svc_auction.domain.terms import Funding

OTHER_ID = AUCTION_ID.replace("a1b2", "a1b3")
FUNDED = terms_of(funding=Funding.WALLET_HOLD)
ADA_USD, BOB_USD, CYD_USD = ((person, "USD") for person in (ADA, BOB, CYD))


@pytest.fixture
def bench() -> Bench:
    return bench_of(
        {AUCTION_ID: FUNDED, OTHER_ID: FUNDED},
        {ADA_USD: 100_00, BOB_USD: 100_00, CYD_USD: 10_00},
    )


def decide(bench: Bench, *bids: Bid) -> Decisions:
    return decide_bids(bids, bench)


def placed_of(verdict: PlacedBid | BlytzError) -> PlacedBid:
    assert isinstance(verdict, PlacedBid), verdict
    return verdict


def test_the_leaders_maximum_is_held_not_the_price(bench: Bench) -> None:
    decisions = decide(bench, bid_of(ADA, 60_00))
    assert bench.books[AUCTION_ID].price_minor == FUNDED.opening_minor
    assert bench.books[AUCTION_ID].held_minor == 60_00
    assert bench.power[ADA_USD].held_minor == 60_00
    assert decisions.power_changed == {ADA_USD: bench.power[ADA_USD]}


def test_the_outbid_get_everything_back(bench: Bench) -> None:
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(BOB, 70_00))
    assert bench.power[ADA_USD].held_minor == 0
    assert bench.power[BOB_USD].held_minor == bench.books[AUCTION_ID].held_minor == 70_00
    assert decisions.power_changed.keys() == {ADA_USD, BOB_USD}


def test_a_raise_holds_the_difference(bench: Bench) -> None:
    decide(bench, bid_of(ADA, 60_00), bid_of(ADA, 100_00))
    assert bench.power[ADA_USD].held_minor == bench.books[AUCTION_ID].held_minor == 100_00


def test_a_raise_beyond_the_power_is_refused_with_what_is_missing(bench: Bench) -> None:
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(ADA, 100_01))
    refusal = decisions.verdicts[1]
    assert isinstance(refusal, InsufficientFunds)
    assert refusal.shortfall_minor == 1
    assert bench.power[ADA_USD].held_minor == 60_00


def test_a_losing_bid_holds_nothing(bench: Bench) -> None:
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(BOB, 50_00))
    assert bench.power[BOB_USD].held_minor == 0
    assert BOB_USD not in decisions.power_changed
    assert bench.books[AUCTION_ID].held_minor == 60_00


def test_a_losing_bid_must_be_funded_all_the_same(bench: Bench) -> None:
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(CYD, 50_00))
    refusal = decisions.verdicts[1]
    assert isinstance(refusal, InsufficientFunds)
    assert refusal.metadata == {"shortfall_minor": "4000"}
    assert bench.books[AUCTION_ID].bid_count == 1


def test_the_same_power_does_not_lead_twice(bench: Bench) -> None:
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(ADA, 40_01, auction_id=OTHER_ID))
    assert isinstance(decisions.verdicts[1], InsufficientFunds)
    decisions = decide(bench, bid_of(BOB, 61_00), bid_of(ADA, 40_01, auction_id=OTHER_ID))
    placed_of(decisions.verdicts[1])
    assert bench.power[ADA_USD].held_minor == 40_01


def test_who_has_no_power_at_all_is_short_of_the_whole_maximum(bench: Bench) -> None:
    stranger = new_id()
    refusal = decide(bench, bid_of(stranger, 5_00)).verdicts[0]
    assert isinstance(refusal, InsufficientFunds)
    assert refusal.shortfall_minor == 5_00


def test_power_in_another_currency_funds_nothing() -> None:
    euro = terms_of(funding=Funding.WALLET_HOLD, currency_code="EUR")
    bench = bench_of({AUCTION_ID: euro}, {ADA_USD: 100_00})
    decisions = decide(bench, bid_of(ADA, 5_00, currency_code="EUR"), bid_of(ADA, 5_00))
    assert isinstance(decisions.verdicts[0], InsufficientFunds)
    assert isinstance(decisions.verdicts[1], CurrencyMismatch)


def test_open_funding_holds_nothing() -> None:
    bench = bench_of({AUCTION_ID: terms_of(funding=Funding.OPEN)}, {ADA_USD: 1})
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(BOB, 70_00), bid_of(BOB, 80_00))
    assert [type(verdict) for verdict in decisions.verdicts] == [PlacedBid] * 3
    assert decisions.power_changed == {}
    assert bench.books[AUCTION_ID].held_minor == 0


def test_the_rules_refuse_before_the_funds_do(bench: Bench) -> None:
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(BOB, 50_00), bid_of(CYD, 12_00))
    assert isinstance(decisions.verdicts[2], BidTooLow)


def test_a_replay_within_the_batch_has_no_second_effect(bench: Bench) -> None:
    bid = bid_of(ADA, 60_00)
    decisions = decide(bench, bid, bid_of(BOB, 70_00), bid, bid)
    assert decisions.verdicts[2] is decisions.verdicts[3] is decisions.verdicts[0]
    assert len(decisions.placed) == 2
    assert bench.books[AUCTION_ID].bid_count == 2


@pytest.mark.parametrize(
    "change", [{"maximum_minor": 60_01}, {"auction_id": OTHER_ID}, {"currency_code": "EUR"}]
)
def test_another_body_under_the_same_request_id_has_no_effect(
    bench: Bench, change: dict[str, object]
) -> None:
    bid = bid_of(ADA, 60_00)
    decisions = decide(bench, bid, replace(bid, **change))  # type: ignore[arg-type]
    assert isinstance(decisions.verdicts[1], RequestIdReused)
    assert len(decisions.placed) == 1


def test_two_people_may_use_the_same_request_id(bench: Bench) -> None:
    request_id = new_id()
    decisions = decide(
        bench, bid_of(ADA, 60_00, request_id=request_id), bid_of(BOB, 70_00, request_id=request_id)
    )
    assert len(decisions.placed) == 2


def test_a_refused_request_id_may_be_used_again(bench: Bench) -> None:
    request_id = new_id()
    decisions = decide(
        bench,
        bid_of(ADA, 60_00),
        bid_of(ADA, 60_00, request_id=request_id),
        bid_of(ADA, 61_00, request_id=request_id),
    )
    assert isinstance(decisions.verdicts[1], MaximumNotRaised)
    placed_of(decisions.verdicts[2])


def test_an_unknown_auction_refuses_its_bid_alone(bench: Bench) -> None:
    decisions = decide(bench, bid_of(ADA, 5_00, auction_id=new_id()), bid_of(ADA, 5_00))
    assert isinstance(decisions.verdicts[0], AuctionNotFound)
    placed_of(decisions.verdicts[1])


def test_only_what_changed_is_written(bench: Bench) -> None:
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(ADA, 2, auction_id=OTHER_ID + "x"))
    assert decisions.books_changed.keys() == {AUCTION_ID}
    nothing = decide(bench, bid_of(BOB, 1))
    assert (nothing.placed, nothing.books_changed, nothing.power_changed) == ([], {}, {})


def test_an_extension_goes_with_its_bid() -> None:
    late = END - timedelta(seconds=1)
    bench = bench_of({AUCTION_ID: terms_of(soft_close=soft_close())}, {}, now=late)
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(BOB, 70_00))
    extensions = [extended for _, extended in decisions.placed]
    assert [extended and extended.sequence for extended in extensions] == [4, None]
    assert placed_of(decisions.verdicts[1]).event.sequence == 5
