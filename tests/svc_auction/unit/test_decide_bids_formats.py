"""How a batch is decided where a bid is more than a maximum in an English auction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.auction_books import ADA, AUCTION_ID, BOB, CYD, SELLER, START, bid_of, terms_of
from fakes.benches import bench_of
from kernel.errors import BlytzError, RequestIdReused
from svc_auction.application.decide_bids import Bench, Decisions, decide_bids
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.domain.book import Outcome, State
from svc_auction.domain.errors import (
    AuctionEnded,
    AuctionNotLive,
    BuyNowUnavailable,
    ConfirmLargeBid,
    InsufficientFunds,
    MaximumNotRaised,
)
from svc_auction.domain.formats import DUTCH, SEALED_FIRST_PRICE, SEALED_SECOND_PRICE
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, FallingPrice, Funding, Terms

LOTS = [AUCTION_ID.replace("a1b2", f"a1b{number}") for number in (2, 3, 4)]
FUNDED = terms_of(funding=Funding.WALLET_HOLD)
BUYABLE = replace(FUNDED, buy_now=BuyNow(50_00, BuyNowAvailability.WHOLE_AUCTION))
FALLING = FallingPrice(drop_minor=30_00, every=timedelta(seconds=10), floor_minor=1_00)
TAKEN = replace(FUNDED, format=DUTCH, opening_minor=100_00, falling_price=FALLING)
ADA_USD, BOB_USD, CYD_USD = ((person, "USD") for person in (ADA, BOB, CYD))
SEALED = pytest.mark.parametrize("format_", [SEALED_FIRST_PRICE, SEALED_SECOND_PRICE])


def bench_on(*lots: Terms, now_s: float = 0) -> Bench:
    """Return a bench of so many lots; Ada and Bob have 100.00, Cyd has 10.00."""
    allotted = {ADA_USD: 100_00, BOB_USD: 100_00, CYD_USD: 10_00}
    auctions = dict(zip(LOTS, lots, strict=False))
    return bench_of(auctions, allotted, now=START + timedelta(seconds=now_s))


def decide(bench: Bench, *bids: Bid) -> Decisions:
    return decide_bids(bids, bench)


def held(bench: Bench) -> dict[str, int]:
    return {bidder_id: p.held_minor for (bidder_id, _), p in bench.power.items() if p.held_minor}


def kinds(decisions: Decisions) -> list[type]:
    return [type(verdict) for verdict in decisions.verdicts]


def facts(verdict: PlacedBid | BlytzError) -> Mapping[str, str]:
    assert isinstance(verdict, BlytzError)
    return verdict.metadata


@SEALED
def test_everybodys_sealed_maximum_is_held_and_not_the_leaders_alone(format_: Format) -> None:
    bench = bench_on(replace(FUNDED, format=format_))
    decisions = decide(bench, bid_of(ADA, 60_00), bid_of(BOB, 70_00), bid_of(CYD, 5_00))
    assert held(bench) == {ADA: 60_00, BOB: 70_00, CYD: 5_00}
    assert bench.books[AUCTION_ID].held_minor == 0
    assert decisions.power_changed.keys() == {ADA_USD, BOB_USD, CYD_USD}
    assert {key: p.event.maximum_minor for key, p in decisions.sealed_changed.items()} == {
        (AUCTION_ID, ADA): 60_00,
        (AUCTION_ID, BOB): 70_00,
        (AUCTION_ID, CYD): 5_00,
    }


@SEALED
def test_a_raised_sealed_bid_holds_the_difference(format_: Format) -> None:
    bench = bench_on(replace(FUNDED, format=format_))
    decisions = decide(
        bench,
        bid_of(ADA, 60_00),
        bid_of(BOB, 70_00),
        bid_of(ADA, 65_00),
        bid_of(ADA, 100_01),
        bid_of(ADA, 65_00),
    )
    assert kinds(decisions) == [PlacedBid] * 3 + [InsufficientFunds, MaximumNotRaised]
    assert facts(decisions.verdicts[3]) == {"shortfall_minor": "1"}
    assert facts(decisions.verdicts[4]) == {"maximum_minor": "6500"}
    assert held(bench) == {ADA: 65_00, BOB: 70_00}
    assert decisions.sealed_changed[AUCTION_ID, ADA] is decisions.verdicts[2]


def test_a_sealed_maximum_of_an_earlier_batch_counts() -> None:
    bench = bench_on(replace(FUNDED, format=SEALED_SECOND_PRICE))
    bench.sealed_minor[AUCTION_ID, BOB] = 40_00
    bench.power[BOB_USD].held_minor = 40_00
    decisions = decide(bench, bid_of(BOB, 40_00), bid_of(BOB, 90_00))
    assert kinds(decisions) == [MaximumNotRaised, PlacedBid]
    assert held(bench) == {BOB: 90_00}


def test_open_sealed_bids_are_noted_and_hold_nothing() -> None:
    bench = bench_on(terms_of(format=SEALED_FIRST_PRICE))
    decisions = decide(bench, bid_of(ADA, 60_00))
    assert (held(bench), decisions.power_changed) == ({}, {})
    assert decisions.sealed_changed.keys() == {(AUCTION_ID, ADA)}


def test_of_two_takers_in_a_batch_the_first_pays_and_the_second_is_late() -> None:
    bench = bench_on(TAKEN, now_s=25)
    decisions = decide(bench, bid_of(ADA, 90_00), bid_of(BOB, 100_00))
    assert kinds(decisions) == [PlacedBid, AuctionEnded]
    book = bench.books[AUCTION_ID]
    assert (book.leader_id, book.price_minor, book.outcome) == (ADA, 40_00, Outcome.SOLD)
    assert (bench.power[ADA_USD].allotted_minor, held(bench)) == (60_00, {})
    assert bench.power[BOB_USD].allotted_minor == 100_00
    assert decisions.won == [(book, TAKEN)]
    assert decisions.power_changed == {ADA_USD: bench.power[ADA_USD]}


def test_a_taker_needs_the_price_and_not_the_maximum() -> None:
    bench = bench_on(TAKEN, TAKEN, now_s=25)
    decisions = decide(
        bench,
        bid_of(CYD, 500_00),
        bid_of(ADA, 500_00),
        bid_of(ADA, 500_00, auction_id=LOTS[1]),
    )
    assert kinds(decisions) == [InsufficientFunds, PlacedBid, PlacedBid]
    assert facts(decisions.verdicts[0]) == {"shortfall_minor": "3000"}
    assert bench.power[ADA_USD].allotted_minor == 20_00


def test_a_falling_price_is_not_taken_ahead() -> None:
    bench = bench_on(TAKEN)
    bench.books[AUCTION_ID].state = State.QUEUED
    assert kinds(decide(bench, bid_of(ADA, 100_00))) == [AuctionNotLive]


def test_a_purchase_gives_the_leader_everything_back() -> None:
    bench = bench_on(BUYABLE)
    decisions = decide(bench, bid_of(ADA, 40_00), bid_of(BOB, 50_00, buys=True))
    assert kinds(decisions) == [PlacedBid, PlacedBid]
    book = bench.books[AUCTION_ID]
    assert (book.leader_id, book.held_minor, held(bench)) == (BOB, 0, {})
    assert bench.power[ADA_USD].allotted_minor == 100_00
    assert bench.power[BOB_USD].allotted_minor == 50_00
    assert decisions.won == [(book, BUYABLE)]
    assert decisions.power_changed.keys() == {ADA_USD, BOB_USD}


def test_a_leader_buys_with_what_is_held_for_them() -> None:
    bench = bench_on(BUYABLE, FUNDED)
    decisions = decide(
        bench,
        bid_of(ADA, 49_00),
        bid_of(ADA, 50_00, auction_id=LOTS[1]),
        bid_of(ADA, 50_00, buys=True),
    )
    assert kinds(decisions) == [PlacedBid] * 3
    assert held(bench) == {ADA: 50_00}
    assert bench.power[ADA_USD].allotted_minor == 50_00


def test_a_maximum_that_buys_needs_the_price_alone() -> None:
    bench = bench_on(BUYABLE)
    decisions = decide(bench, bid_of(CYD, 500_00), bid_of(ADA, 500_00))
    assert kinds(decisions) == [InsufficientFunds, PlacedBid]
    assert facts(decisions.verdicts[0]) == {"shortfall_minor": "4000"}
    assert bench.power[ADA_USD].allotted_minor == 50_00


def test_a_purchase_under_open_funding_takes_nothing() -> None:
    bench = bench_on(replace(BUYABLE, funding=Funding.OPEN))
    decisions = decide(bench, bid_of(CYD, 50_00, buys=True), bid_of(ADA, 50_00, buys=True))
    assert kinds(decisions) == [PlacedBid, AuctionEnded]
    assert (decisions.won, decisions.power_changed) == ([], {})


def test_a_purchase_is_replayed_and_a_bid_is_no_purchase() -> None:
    bench = bench_on(BUYABLE, FUNDED)
    bought = bid_of(ADA, 50_00, buys=True)
    placed = bid_of(ADA, 20_00, auction_id=LOTS[1])
    decisions = decide(bench, bought, bought, placed, replace(placed, buys=True))
    assert decisions.verdicts[1] is decisions.verdicts[0]
    assert isinstance(decisions.verdicts[3], RequestIdReused)
    assert len(decisions.placed) == 2


def test_what_is_not_offered_is_refused_alone() -> None:
    bench = bench_on(FUNDED)
    decisions = decide(bench, bid_of(ADA, 50_00, buys=True), bid_of(BOB, 5_00))
    assert kinds(decisions) == [BuyNowUnavailable, PlacedBid]


def test_a_large_bid_is_asked_about_before_its_funds_are_looked_at() -> None:
    bench = bench_on(replace(FUNDED, opening_minor=10_00, confirm_above_factor=2))
    decisions = decide(bench, bid_of(CYD, 20_01), bid_of(CYD, 20_01, confirmed=True))
    assert kinds(decisions) == [ConfirmLargeBid, InsufficientFunds]


def test_who_led_before_the_batch_is_known_of_changed_auctions_only() -> None:
    bench = bench_on(FUNDED, FUNDED, FUNDED)
    first = decide(bench, bid_of(ADA, 10_00), bid_of(BOB, 20_00))
    assert first.leaders_before == {LOTS[0]: None}
    second = decide(
        bench,
        bid_of(ADA, 30_00),
        bid_of(BOB, 40_00),
        bid_of(ADA, 1, auction_id=LOTS[1]),
        bid_of(SELLER, 50_00, auction_id=LOTS[2]),
    )
    assert second.leaders_before == {LOTS[0]: BOB, LOTS[1]: None}
    assert second.books_changed.keys() == second.leaders_before.keys()
