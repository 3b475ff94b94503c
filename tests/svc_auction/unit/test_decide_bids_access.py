"""Who is let into a batch: bars, cards, and what a bidder may commit in a show."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fakes.auction_books import ADA, AUCTION_ID, BOB, CYD, SELLER, bid_of, terms_of
from fakes.benches import bench_of
from kernel.errors import BlytzError
from svc_auction.application.decide_bids import Bar, Bench, Decisions, decide_bids
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.domain.errors import (
    BidderBlocked,
    BidderLimitExceeded,
    CardMissing,
    LinkedAccount,
)
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, Funding, Terms

SHOW = "0190a1b2-0000-7000-8000-000000000f00"
OTHER_SHOW = "0190a1b2-0000-7000-8000-000000000f01"
LOTS = [AUCTION_ID.replace("a1b2", f"a1b{number}") for number in (2, 3, 4)]
FUNDED = terms_of(funding=Funding.WALLET_HOLD)
BUYABLE = replace(FUNDED, buy_now=BuyNow(50_00, BuyNowAvailability.UNTIL_REACHED))


def bench_on(*lots: Terms) -> Bench:
    """Return a bench of so many lots; Ada and Bob have 100.00."""
    allotted = {(ADA, "USD"): 100_00, (BOB, "USD"): 100_00}
    return bench_of(dict(zip(LOTS, lots, strict=False)), allotted)


def decide(bench: Bench, *bids: Bid) -> Decisions:
    return decide_bids(bids, bench)


def kinds(decisions: Decisions) -> list[type]:
    return [type(verdict) for verdict in decisions.verdicts]


def facts(verdict: PlacedBid | BlytzError) -> Mapping[str, str]:
    assert isinstance(verdict, BlytzError)
    return verdict.metadata


@pytest.mark.parametrize(
    ("bar", "refusal"), [(Bar.BLOCKED, BidderBlocked), (Bar.LINKED, LinkedAccount)]
)
def test_a_seller_takes_no_bids_of_those_who_are_barred(
    bar: Bar, refusal: type[BlytzError]
) -> None:
    elsewhere = replace(FUNDED, seller_id=SELLER.replace("5e", "5f"))
    bench = bench_on(FUNDED, elsewhere, BUYABLE)
    bench.bars[SELLER, ADA] = bar
    decisions = decide(
        bench,
        bid_of(ADA, 60_00),
        bid_of(BOB, 60_00),
        bid_of(ADA, 60_00, auction_id=LOTS[1]),
        bid_of(ADA, 50_00, auction_id=LOTS[2], buys=True),
    )
    assert kinds(decisions) == [refusal, PlacedBid, PlacedBid, refusal]


def test_who_is_barred_learns_nothing_about_the_auction() -> None:
    bench = bench_on(FUNDED)
    bench.bars[SELLER, CYD] = Bar.BLOCKED
    verdict = decide(bench, bid_of(CYD, 99_999_00)).verdicts[0]
    assert isinstance(verdict, BidderBlocked)
    assert verdict.metadata == {}


def test_only_people_with_a_card_bid_where_one_is_asked_for() -> None:
    bench = bench_on(terms_of(funding=Funding.SAVED_CARD), terms_of())
    bench.card_holders = {BOB}
    decisions = decide(
        bench, bid_of(ADA, 60_00), bid_of(BOB, 50_00), bid_of(ADA, 60_00, auction_id=LOTS[1])
    )
    assert kinds(decisions) == [CardMissing, PlacedBid, PlacedBid]
    assert decisions.power_changed == {}


def limited(terms: Terms, *, show_id: str = SHOW, limit_minor: int = 60_00) -> Terms:
    return terms.as_lot_of(show_id, bidder_limit_minor=limit_minor)


@pytest.mark.parametrize("funding", [Funding.OPEN, Funding.WALLET_HOLD])
def test_the_limit_counts_all_lots_of_a_show(funding: Funding) -> None:
    lot = limited(terms_of(funding=funding))
    bench = bench_on(lot, lot, limited(lot, show_id=OTHER_SHOW))
    decisions = decide(
        bench,
        bid_of(ADA, 40_00),
        bid_of(ADA, 20_01, auction_id=LOTS[1]),
        bid_of(ADA, 20_00, auction_id=LOTS[1]),
        bid_of(ADA, 40_00, auction_id=LOTS[2]),
        bid_of(BOB, 60_00),
    )
    assert kinds(decisions) == [PlacedBid, BidderLimitExceeded, *[PlacedBid] * 3]
    assert facts(decisions.verdicts[1]) == {"limit_minor": "6000", "left_minor": "2000"}
    assert bench.committed_minor == {
        (SHOW, ADA): 20_00,
        (SHOW, BOB): 60_00,
        (OTHER_SHOW, ADA): 40_00,
    }


def test_whoever_is_outbid_may_commit_it_elsewhere() -> None:
    bench = bench_on(limited(FUNDED), limited(FUNDED))
    decisions = decide(
        bench,
        bid_of(ADA, 40_00),
        bid_of(ADA, 60_00, auction_id=LOTS[1]),
        bid_of(BOB, 41_00),
        bid_of(ADA, 60_00, auction_id=LOTS[1]),
    )
    assert kinds(decisions) == [PlacedBid, BidderLimitExceeded, PlacedBid, PlacedBid]


def test_a_raise_needs_only_the_difference_of_the_limit() -> None:
    bench = bench_on(limited(FUNDED))
    decisions = decide(bench, bid_of(ADA, 40_00), bid_of(ADA, 60_00), bid_of(ADA, 60_01))
    assert kinds(decisions) == [PlacedBid, PlacedBid, BidderLimitExceeded]
    assert facts(decisions.verdicts[2]) == {"limit_minor": "6000", "left_minor": "6000"}


def test_what_was_committed_before_the_batch_counts_and_less_than_nothing_is_left() -> None:
    bench = bench_on(limited(FUNDED))
    bench.committed_minor[SHOW, ADA] = 70_00
    decisions = decide(bench, bid_of(ADA, 1_00))
    assert facts(decisions.verdicts[0]) == {"limit_minor": "6000", "left_minor": "0"}


def test_what_was_won_goes_on_counting_with_its_price() -> None:
    bench = bench_on(limited(BUYABLE), limited(FUNDED))
    decisions = decide(
        bench,
        bid_of(ADA, 55_00),
        bid_of(ADA, 50_00, buys=True),
        bid_of(ADA, 10_01, auction_id=LOTS[1]),
        bid_of(ADA, 10_00, auction_id=LOTS[1]),
    )
    assert kinds(decisions) == [PlacedBid, PlacedBid, BidderLimitExceeded, PlacedBid]
    assert bench.committed_minor == {(SHOW, ADA): 60_00}
