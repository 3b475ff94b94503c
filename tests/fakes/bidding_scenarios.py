"""Any auction and any bids on it, aimed at where the rules turn, and the check of their outcome."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from fakes.auction_books import (
    ADA,
    AUCTION_ID,
    BOB,
    CYD,
    END,
    SELLER,
    book_of,
    check_bid,
    terms_of,
)
from fakes.auction_books import soft_close as soft_close_of
from fakes.english_reference import DEFAULT_STEPS, EnglishReference
from kernel.errors import BlytzError
from kernel.ids import new_id
from svc_auction.domain.bidding import Bid, accept_bid, buy_now_minor, due_minor
from svc_auction.domain.book import Book, Outcome, State
from svc_auction.domain.events import AuctionEnded
from svc_auction.domain.increments import DEFAULT_LADDER, Ladder, Step
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, SoftClose, Terms

WHOLE_AUCTION = BuyNowAvailability.WHOLE_AUCTION
MICROSECOND = timedelta(microseconds=1)
MOMENTS = ["later"] * 11 + ["window"] * 3 + ["last"] * 5 + ["end"]
ANCHORS = ("minimum", "leader", "reserve", "bracket", "purchase", "factor", "zero")
MANNERS = ["as it is"] * 5 + ["confirmed"] * 2 + ["buys"] * 2


@dataclass(frozen=True)
class Attempt:
    """A bid as it is drawn: an amount near an anchor of the auction's state, some time later."""

    bidder_id: str
    anchor: str
    delta_minor: int
    moment: str
    seconds_later: int
    currency_code: str
    manner: str

    def at(self, now: datetime, ends_at: datetime, soft_close: SoftClose | None) -> datetime:
        """Return when the bid comes: some time later, or where the end or its window is."""
        window = soft_close.extend_within if soft_close else timedelta(0)
        moments = {
            "later": now + timedelta(seconds=self.seconds_later),
            "window": ends_at - window,
            "last": ends_at - MICROSECOND,
            "end": ends_at,
        }
        return max(now, moments[self.moment])

    def maximum_minor(self, reference: EnglishReference) -> int:
        leader = reference.leader()
        anchors = {
            "minimum": reference.minimum_minor(),
            "leader": leader.maximum_minor if leader else reference.opening_minor,
            "reserve": reference.reserve_minor or reference.opening_minor,
            "bracket": next(
                (p for p, _ in reference.steps if p > reference.price_minor()), 600_000
            ),
            "purchase": reference.buy_now_minor or reference.opening_minor,
            "factor": reference.confirm_above_factor * reference.price_minor(),
            "zero": 0,
        }
        return max(1, anchors[self.anchor] + self.delta_minor)


@dataclass(frozen=True)
class Scenario:
    """An auction and the bids that are tried on it."""

    opening_minor: int
    reserve_minor: int | None
    steps: list[tuple[int, int]] | None
    soft_close: SoftClose | None
    buy_now: BuyNow | None
    confirm_above_factor: int
    minutes_left: int
    attempts: list[Attempt]


BIDDERS = (ADA, BOB, CYD, ADA, BOB, CYD, SELLER)
DELTAS_MINOR = (0, 0, 1, -1, 2, 50, 333, 2_000, 12_345, 40_000)
SECONDS_LATER = (0, 0, 1, 10, 45)
CURRENCIES = ("USD",) * 12 + ("EUR",)
CHOICES: tuple[Sequence[Any], ...] = (
    BIDDERS,
    ANCHORS,
    DELTAS_MINOR,
    MOMENTS,
    SECONDS_LATER,
    CURRENCIES,
    MANNERS,
)


def _attempt(number: int) -> Attempt:
    """Unfold one drawn number into all choices: one draw is quicker than seven."""
    picked = []
    for choices in CHOICES:
        number, index = divmod(number, len(choices))
        picked.append(choices[index])
    return Attempt(*picked)


attempts = st.integers(0, math.prod(map(len, CHOICES)) - 1).map(_attempt)
ladders = st.lists(
    st.tuples(st.integers(1, 50_000), st.integers(1, 5_000)),
    max_size=4,
    unique_by=lambda step: step[0],
).map(lambda steps: [(0, 3), *sorted(steps)])


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    opening_minor = draw(st.sampled_from([1, 99, 100, 4_99, 9_900]))
    surplus = draw(st.one_of(st.none(), st.integers(0, 30_000)))
    extends = draw(
        st.one_of(
            st.none(),
            st.builds(
                soft_close_of,
                within_s=st.sampled_from([1, 60, 200]),
                by_s=st.sampled_from([1, 60, 300]),
                times=st.sampled_from([1, 1, 2, 3]),
                latest_s=st.sampled_from([None, None, None, 1, 90, 400]),
            ),
        )
    )
    reserve_minor = None if surplus is None else opening_minor + surplus
    buy_now = st.builds(
        BuyNow,
        price_minor=st.integers(0, 40_000).map((reserve_minor or opening_minor).__add__),
        availability=st.sampled_from(BuyNowAvailability),
    )
    return Scenario(
        opening_minor=opening_minor,
        reserve_minor=reserve_minor,
        steps=draw(st.one_of(st.none(), ladders)),
        soft_close=extends,
        buy_now=draw(st.one_of(st.none(), buy_now)),
        confirm_above_factor=draw(st.sampled_from([0, 0, 0, 2, 5])),
        minutes_left=draw(st.integers(1, 6)),
        attempts=draw(st.lists(attempts, min_size=1, max_size=12)),
    )


def check_scenario(scenario: Scenario) -> None:
    """Bid by the rules and by the reference; AssertionError as soon as they differ."""
    terms, reference = _begin(scenario)
    book = book_of(terms)
    now = END - timedelta(minutes=scenario.minutes_left)
    for attempt in scenario.attempts:
        now = attempt.at(now, reference.end()[0], scenario.soft_close)
        maximum_minor, manner = attempt.maximum_minor(reference), attempt.manner
        wish = (attempt.bidder_id, maximum_minor, now, manner)
        expected = reference.refusal(
            attempt.bidder_id, attempt.currency_code, maximum_minor, now, manner
        )
        bid = Bid(
            request_id=new_id(),
            auction_id=AUCTION_ID,
            bidder_id=attempt.bidder_id,
            currency_code=attempt.currency_code,
            maximum_minor=maximum_minor,
            confirmed=manner == "confirmed",
            buys=manner == "buys",
        )
        assert _place(terms, book, bid, now) == expected
        if not expected:
            reference.accept(*wish)
        _check_book(terms, book, reference, now)


def _check_book(terms: Terms, book: Book, reference: EnglishReference, now: datetime) -> None:
    bought = reference.bought
    leader = bought or reference.leader()
    assert book.leader_id == (leader.bidder_id if leader else None)
    assert book.leader_maximum_minor == (leader.maximum_minor if leader else 0)
    assert (book.ends_at, book.extension_count) == reference.end()
    assert book.bid_count == len(reference.accepted) + bool(bought)
    assert (book.state is State.ENDED) == bool(bought)
    assert (book.outcome is Outcome.BOUGHT_NOW) == bool(bought)
    if bought:
        assert book.price_minor == bought.maximum_minor
    else:
        assert book.price_minor == reference.price_minor()
        assert terms.format.asking_minor(terms, book, now) == reference.minimum_minor()
        assert buy_now_minor(terms, book) == reference.offered_minor()


def _begin(scenario: Scenario) -> tuple[Terms, EnglishReference]:
    steps = scenario.steps or [
        (step.price_from_minor, step.step_minor) for step in DEFAULT_LADDER.steps
    ]
    terms = terms_of(
        opening_minor=scenario.opening_minor,
        reserve_minor=scenario.reserve_minor,
        ladder=Ladder([Step(*step) for step in steps]),
        soft_close=scenario.soft_close,
        buy_now=scenario.buy_now,
        confirm_above_factor=scenario.confirm_above_factor,
    )
    extends, buy_now = scenario.soft_close, scenario.buy_now
    reference = EnglishReference(
        seller_id=SELLER,
        currency_code="USD",
        opening_minor=scenario.opening_minor,
        reserve_minor=scenario.reserve_minor,
        steps=scenario.steps or DEFAULT_STEPS,
        ends_at_first=END,
        extend_within=extends.extend_within if extends else None,
        extend_by=extends.extend_by if extends else timedelta(0),
        extensions_max=extends.extensions_max if extends else 0,
        latest_end_after=extends.latest_end_after if extends else None,
        buy_now_minor=buy_now.price_minor if buy_now else None,
        always_buyable=bool(buy_now and buy_now.availability is WHOLE_AUCTION),
        confirm_above_factor=scenario.confirm_above_factor,
    )
    return terms, reference


def _place(terms: Terms, book: Book, bid: Bid, now: datetime) -> str:
    """Return the reason for which the bid is refused, or nothing."""
    sequence_before = book.sequence
    try:
        check_bid(terms, book, bid, now)
    except BlytzError as refusal:
        assert book.sequence == sequence_before
        return refusal.reason
    due = due_minor(terms, book, bid, now)
    placed, follow_up = accept_bid(terms, book, bid, now)
    assert placed.sequence == sequence_before + 1
    assert book.sequence == sequence_before + 1 + (follow_up is not None)
    assert (placed.leader_id, placed.price_minor) == (book.leader_id, book.price_minor)
    assert placed.won == isinstance(follow_up, AuctionEnded)
    assert due == (book.price_minor if placed.won else bid.maximum_minor)
    return ""
