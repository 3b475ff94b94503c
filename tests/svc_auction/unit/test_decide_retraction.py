"""Who leads after a retraction: nobody who is not covered for it, not for a moment."""

from dataclasses import replace
from typing import Any

import pytest

from fakes.auction_books import ADA, AUCTION_ID, BOB, CYD, START, auction_of, bid_of, terms_of
from kernel.ids import new_id
from svc_auction.application.decide_retraction import (
    HeirUncovered,
    RetractionBench,
    decide_retraction,
    heir_ids,
)
from svc_auction.domain.bidding import accept_bid
from svc_auction.domain.events import BidsRetracted
from svc_auction.domain.formats import ENGLISH, SEALED_SECOND_PRICE
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.retraction import Reason, Wish
from svc_auction.domain.terms import Funding, Terms

SHOW_ID = new_id()
NOBODY: frozenset[str] = frozenset()


def bench_of(terms: Terms, **changes: Any) -> RetractionBench:
    """Return a bench on which Cyd leads at 40.00 before Bob at 30.00 and Ada at 20.00."""
    auction = auction_of(terms)
    standing = [
        accept_bid(terms, auction.book, bid_of(bidder_id, minor), START)[0]
        for bidder_id, minor in ((ADA, 20_00), (BOB, 30_00), (CYD, 40_00))
    ]
    auction.book.held_minor = 0 if terms.format.sealed else 40_00
    bench = RetractionBench(START, auction, standing, standing[2:], {}, {})
    return replace(bench, **changes)


def funded(format_: Format = ENGLISH) -> Terms:
    return terms_of(funding=Funding.WALLET_HOLD, format=format_)


def limited(limit_minor: int) -> Terms:
    return terms_of(show_id=SHOW_ID, bidder_limit_minor=limit_minor)


def decided(bench: RetractionBench, uncovered_ids: frozenset[str] = NOBODY) -> list[BidsRetracted]:
    gone = bench.gone[-1]
    wish = Wish(new_id(), AUCTION_ID, gone.bidder_id, gone.bid_id, Reason.TYPING_ERROR)
    events = list(decide_retraction(wish, bench, uncovered_ids))
    assert (events[-1].request_id, events[-1].reason) == (wish.request_id, Reason.TYPING_ERROR)
    return events


def test_a_covered_heir_leads() -> None:
    bench = bench_of(funded(), free_minor={BOB: 30_00})
    (event,) = decided(bench)
    assert (event.bidder_id, event.leader_id, event.price_minor) == (CYD, BOB, 20_50)
    assert bench.auction.book.held_minor == 30_00


def test_what_an_heir_lacks_is_told_and_nothing_is_changed() -> None:
    bench = bench_of(funded(), free_minor={BOB: 29_99})
    before = replace(bench.auction.book)
    with pytest.raises(HeirUncovered) as uncovered:
        decided(bench)
    assert (uncovered.value.bidder_id, uncovered.value.shortfall_minor) == (BOB, 1)
    assert bench.auction.book == before


def test_the_bids_of_an_uncovered_heir_lapse_before_the_wished_ones_go() -> None:
    bench = bench_of(funded(), free_minor={ADA: 20_00})
    lapse, wished = decided(bench, frozenset({BOB}))
    assert (lapse.bidder_id, lapse.reason, lapse.leader_id) == (BOB, Reason.UNFUNDED, CYD)
    assert (wished.bidder_id, wished.leader_id, wished.price_minor) == (CYD, ADA, 1)
    assert wished.sequence == lapse.sequence + 1
    assert lapse.request_id != wished.request_id


def test_whoever_has_found_the_money_meanwhile_leads() -> None:
    (event,) = decided(bench_of(funded(), free_minor={BOB: 30_00}), frozenset({BOB, ADA}))
    assert event.leader_id == BOB


def test_when_nobody_is_covered_nobody_leads() -> None:
    bench = bench_of(funded())
    *lapsed, wished = decided(bench, frozenset({BOB, ADA}))
    assert [event.bidder_id for event in lapsed] == [BOB, ADA]
    assert (wished.leader_id, wished.price_minor) == (None, 1)
    assert (bench.auction.book.held_minor, bench.auction.book.bid_count) == (0, 0)


@pytest.mark.parametrize("funding", [Funding.OPEN, Funding.SAVED_CARD])
def test_without_holds_every_heir_leads(funding: Funding) -> None:
    (event,) = decided(bench_of(terms_of(funding=funding)))
    assert event.leader_id == BOB


def test_sealed_maxima_are_held_already() -> None:
    (event,) = decided(bench_of(funded(SEALED_SECOND_PRICE)))
    assert (event.leader_id, event.price_minor) == (BOB, 20_00)


def test_whoever_leads_on_is_covered_already() -> None:
    bench = bench_of(funded())
    (event,) = decided(replace(bench, gone=bench.standing[:1]))
    assert (event.bidder_id, event.leader_id, event.price_minor) == (ADA, CYD, 31_00)


@pytest.mark.parametrize(("committed_minor", "leader_id"), [(70_00, BOB), (70_01, ADA)])
def test_the_limit_of_a_show_holds_for_heirs_too(committed_minor: int, leader_id: str) -> None:
    bench = bench_of(limited(100_00), committed_minor={BOB: committed_minor})
    if leader_id == ADA:
        with pytest.raises(HeirUncovered) as uncovered:
            decided(bench)
        assert uncovered.value.shortfall_minor is None
    assert decided(bench, frozenset({BOB}))[-1].leader_id == leader_id


def test_the_cover_of_every_possible_leader_is_locked() -> None:
    bench = bench_of(funded())
    for uncovered_ids, expected_ids in (
        (NOBODY, {BOB}),
        (frozenset({BOB}), {BOB, ADA}),
        (frozenset({BOB, ADA}), {BOB, ADA}),
    ):
        found = heir_ids(bench.auction, bench.standing, bench.gone, uncovered_ids)
        assert found == expected_ids
