"""Any batches of bids on auctions of every format, and what must hold after each of them.

What is held and committed is computed anew from the books and from the bids that were accepted.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from fakes.auction_books import ADA, AUCTION_ID, BOB, CYD, SELLER, START, bid_of, terms_of
from fakes.benches import bench_of, outcomes
from kernel.errors import BlytzError
from svc_auction.application.decide_bids import (
    Bar,
    Bench,
    BidderKey,
    Decisions,
    PowerKey,
    decide_bids,
)
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.domain.book import Book, Outcome, State
from svc_auction.domain.errors import BidderLimitExceeded, InsufficientFunds
from svc_auction.domain.formats import (
    DUTCH,
    LIVE_LOT,
    SEALED_FIRST_PRICE,
    SEALED_SECOND_PRICE,
    SUDDEN_DEATH,
)
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, FallingPrice, Funding, Terms

SHOW = "0190a1b2-0000-7000-8000-000000000f00"
LIMIT_MINOR = 60_00
NOW = START + timedelta(seconds=25)
FALLING = FallingPrice(drop_minor=5_00, every=timedelta(seconds=10), floor_minor=1_00)
FALLEN_MINOR = 10_00
"""What a falling price that began at 20.00 has come to by NOW."""
WHOLE_AUCTION = BuyNowAvailability.WHOLE_AUCTION
STRICT_SELLER = SELLER.replace("5e", "5f")
BARS = {(STRICT_SELLER, BOB): Bar.BLOCKED, (STRICT_SELLER, CYD): Bar.LINKED}
CARD_HOLDERS = {ADA, CYD}


def _all_terms() -> list[Terms]:
    held = terms_of(funding=Funding.WALLET_HOLD)
    buyable = BuyNow(50_00, BuyNowAvailability.UNTIL_REACHED)
    always = BuyNow(20_00, WHOLE_AUCTION)
    dutch = replace(held, format=DUTCH, opening_minor=20_00, falling_price=FALLING)
    lot = held.as_lot_of(SHOW, bidder_limit_minor=LIMIT_MINOR)
    return [
        held,
        replace(held, buy_now=buyable),
        replace(held, currency_code="EUR", seller_id=STRICT_SELLER),
        replace(held, funding=Funding.OPEN),
        replace(held, funding=Funding.SAVED_CARD, format=SUDDEN_DEATH),
        replace(held, format=SEALED_FIRST_PRICE),
        dutch,
        replace(lot, format=LIVE_LOT, buy_now=always),
        replace(lot, funding=Funding.OPEN, format=SEALED_SECOND_PRICE),
        replace(lot, format=SEALED_SECOND_PRICE),
        replace(dutch, funding=Funding.OPEN).as_lot_of(SHOW, bidder_limit_minor=LIMIT_MINOR),
    ]


AUCTIONS = {
    AUCTION_ID.replace("a1b2", f"a1{number:02x}"): terms
    for number, terms in enumerate(_all_terms())
}
REQUEST_IDS = [f"0190a1b2-0000-7000-8000-{number:012x}" for number in range(8)]
AMOUNTS_MINOR = (1, 50, 1_00, 2_50, 5_00, 10_00, 10_01, 20_00, 25_00, 50_00, 60_00, 100_00)
CHOICES: tuple[Sequence[Any], ...] = (
    (ADA, BOB, CYD),
    tuple(AUCTIONS),
    AMOUNTS_MINOR,
    REQUEST_IDS + [""] * 24,
    (False, False, False, True),
)


@dataclass(frozen=True)
class Batches:
    """Bids, where the batches end, and what each bidder has in each currency."""

    bids: list[Bid]
    cuts: set[int]
    allotted: dict[PowerKey, int]

    def bench(self) -> Bench:
        bench = bench_of(AUCTIONS, self.allotted, now=NOW)
        bench.bars, bench.card_holders = dict(BARS), set(CARD_HOLDERS)
        return bench

    def split(self) -> list[list[Bid]]:
        edges = [0, *sorted(cut for cut in self.cuts if cut < len(self.bids)), len(self.bids)]
        return [self.bids[start:end] for start, end in pairwise(edges)]


def _bid(numbered: tuple[int, int]) -> Bid:
    position, number = numbered
    picked = []
    for choices in CHOICES:
        number, index = divmod(number, len(choices))
        picked.append(choices[index])
    bidder_id, auction_id, maximum_minor, request_id, buys = picked
    return bid_of(
        bidder_id,
        maximum_minor,
        auction_id=auction_id,
        currency_code=AUCTIONS[auction_id].currency_code,
        request_id=request_id or f"0190a1b2-0000-7000-8001-{position:012x}",
        buys=buys,
    )


batches = st.builds(
    Batches,
    bids=st.lists(st.integers(0, math.prod(map(len, CHOICES)) - 1), min_size=1, max_size=30).map(
        lambda numbers: [_bid(numbered) for numbered in enumerate(numbers)]
    ),
    cuts=st.sets(st.integers(1, 29), max_size=6),
    allotted=st.lists(st.sampled_from([0, 5_00, 30_00, 200_00]), min_size=6, max_size=6).map(
        lambda amounts: dict(
            zip([(b, c) for b in (ADA, BOB, CYD) for c in ("USD", "EUR")], amounts, strict=True)
        )
    ),
)


@dataclass
class Ledger:
    """What was accepted, and what follows from it; knows the first bid under each request id."""

    allotted: dict[PowerKey, int]
    accepted: dict[tuple[str, str], tuple[Bid, PlacedBid]] = field(default_factory=dict)

    def standing_minor(self, books: dict[str, Book]) -> dict[BidderKey, int]:
        """Return what bidders stand for, by auction and bidder: a maximum, or a price to pay."""
        standing: dict[BidderKey, int] = {}
        for bid, _ in self.accepted.values():
            if AUCTIONS[bid.auction_id].format.sealed:
                key = (bid.auction_id, bid.bidder_id)
                standing[key] = max(standing.get(key, 0), bid.maximum_minor)
        for auction_id, book in books.items():
            if book.leader_id is not None and not AUCTIONS[auction_id].format.sealed:
                amount_minor = book.leader_maximum_minor if book.is_open else book.price_minor
                standing[auction_id, book.leader_id] = amount_minor
        return standing

    def check(self, bench: Bench) -> None:
        """What is held and committed is the sum of what stands, and nobody overdraws."""
        held, spent, committed = Counter[PowerKey](), Counter[PowerKey](), Counter[BidderKey]()
        for (auction_id, bidder_id), amount_minor in self.standing_minor(bench.books).items():
            terms, book = AUCTIONS[auction_id], bench.books[auction_id]
            if terms.funding is Funding.WALLET_HOLD:
                kind = held if book.is_open else spent
                kind[bidder_id, terms.currency_code] += amount_minor
            if terms.bidder_limit_minor is not None:
                committed[SHOW, bidder_id] += amount_minor
        for key, power in bench.power.items():
            assert power.allotted_minor == self.allotted[key] - spent[key]
            assert power.held_minor == held[key]
            assert 0 <= power.held_minor <= power.allotted_minor
        assert Counter(bench.committed_minor) == committed
        assert all(amount_minor <= LIMIT_MINOR for amount_minor in committed.values())
        for auction_id, terms in AUCTIONS.items():
            _check_book(bench.books[auction_id], terms)

    def left_minor(self, bench: Bench, bid: Bid) -> tuple[int, int]:
        """Return what a bidder could spend on an auction, and commit to it in its show."""
        free_minor, left_minor = self.allotted[bid.bidder_id, bid.currency_code], LIMIT_MINOR
        for (auction_id, bidder_id), amount_minor in self.standing_minor(bench.books).items():
            terms = AUCTIONS[auction_id]
            if bidder_id != bid.bidder_id or auction_id == bid.auction_id:
                continue
            if (terms.funding, terms.currency_code) == (Funding.WALLET_HOLD, bid.currency_code):
                free_minor -= amount_minor
            if terms.bidder_limit_minor is not None:
                left_minor -= amount_minor
        return free_minor, max(0, left_minor)


def _check_book(book: Book, terms: Terms) -> None:
    holds = terms.funding is Funding.WALLET_HOLD and book.is_open and not terms.format.sealed
    assert book.held_minor == (book.leader_maximum_minor if holds else 0)
    assert (book.outcome is None) == (book.state is State.LIVE)
    if terms.format.falls and book.leader_id:
        assert (book.outcome, book.price_minor) == (Outcome.SOLD, FALLEN_MINOR)


def needed_minor(bid: Bid) -> int:
    """Return what a bid must be funded for."""
    terms = AUCTIONS[bid.auction_id]
    if terms.format.falls:
        return FALLEN_MINOR
    if terms.buy_now is not None and terms.buy_now.availability is WHOLE_AUCTION:
        return min(bid.maximum_minor, terms.buy_now.price_minor)
    return bid.maximum_minor


def check_batches(given_batches: Batches) -> None:
    """Decide one by one, checking each step; then in batches, which must come to the same."""
    bench, ledger = given_batches.bench(), Ledger(given_batches.allotted)
    verdicts: list[tuple[object, ...]] = []
    for bid in given_batches.bids:
        verdicts += outcomes(_decide_one(bid, bench, ledger))
        ledger.check(bench)

    together = given_batches.bench()
    verdicts_together: list[tuple[object, ...]] = []
    for bids in given_batches.split():
        leaders = {key: book.leader_id for key, book in together.books.items()}
        decisions = decide_bids(bids, together)
        verdicts_together += outcomes(decisions)
        _check_written(decisions, together, leaders)
    assert verdicts_together == verdicts
    assert together.power == bench.power
    assert together.committed_minor == bench.committed_minor
    assert together.sealed_minor == bench.sealed_minor


def _decide_one(bid: Bid, bench: Bench, ledger: Ledger) -> Decisions:
    book, terms = bench.books[bid.auction_id], AUCTIONS[bid.auction_id]
    sequence, price_minor = book.sequence, book.price_minor
    free_minor, left_minor = ledger.left_minor(bench, bid)
    first, answer = ledger.accepted.get((bid.bidder_id, bid.request_id), (None, None))
    decisions = decide_bids([bid], bench)
    (verdict,) = decisions.verdicts
    assert book.price_minor >= price_minor or terms.format.falls
    if first is not None:
        assert (book.sequence, decisions.placed) == (sequence, [])
        _check_replay(bid, first, verdict, answer)
    elif isinstance(verdict, PlacedBid):
        assert verdict.event.sequence == sequence + 1 == book.sequence - verdict.event.won
        assert len(decisions.placed) == 1
        assert (terms.seller_id, bid.bidder_id) not in BARS
        if terms.funding is Funding.WALLET_HOLD:
            assert needed_minor(bid) <= free_minor
        elif terms.funding is Funding.SAVED_CARD:
            assert bid.bidder_id in CARD_HOLDERS
        ledger.accepted[bid.bidder_id, bid.request_id] = bid, verdict
    else:
        assert (book.sequence, decisions.placed) == (sequence, [])
        if isinstance(verdict, InsufficientFunds):
            assert verdict.shortfall_minor == needed_minor(bid) - free_minor > 0
        if isinstance(verdict, BidderLimitExceeded):
            assert verdict.facts == {"limit_minor": LIMIT_MINOR, "left_minor": left_minor}
            assert needed_minor(bid) > left_minor
    return decisions


def _check_replay(
    bid: Bid, first: Bid, verdict: PlacedBid | BlytzError, answer: PlacedBid | None
) -> None:
    if first == bid:
        assert verdict is answer
    elif replace(first, buys=bid.buys) != bid:
        assert getattr(verdict, "reason", None) == "REQUEST_ID_REUSED"


def _check_written(decisions: Decisions, bench: Bench, leaders: dict[str, str | None]) -> None:
    """What is to be written is what changed, no more, with who led before the whole batch."""
    changed = {placed.auction_id for placed, _ in decisions.placed}
    assert decisions.books_changed.keys() == decisions.leaders_before.keys() == changed
    assert all(bench.books[key] is book for key, book in decisions.books_changed.items())
    assert all(bench.power[key] is row for key, row in decisions.power_changed.items())
    assert decisions.leaders_before.items() <= leaders.items()
    sold = [placed.auction_id for placed, _ in decisions.placed if placed.event.won]
    assert [book.auction_id for book, _ in decisions.won] == [
        key for key in sold if AUCTIONS[key].funding is Funding.WALLET_HOLD
    ]
    sealed = {
        (placed.auction_id, placed.event.bidder_id): placed
        for placed, _ in decisions.placed
        if placed.terms.format.sealed
    }
    assert decisions.sealed_changed == sealed
