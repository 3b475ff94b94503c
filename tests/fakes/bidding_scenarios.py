"""Any auction and any bids on it, aimed at where the rules turn, and the check of their outcome."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from fakes.auction_books import ADA, AUCTION_ID, BOB, CYD, END, SELLER, book_of, terms_of
from fakes.auction_books import soft_close as soft_close_of
from fakes.english_reference import DEFAULT_STEPS, Accepted, EnglishReference
from kernel.errors import BlytzError
from kernel.ids import new_id
from svc_auction.domain import bidding
from svc_auction.domain.auction import Book, SoftClose, Terms
from svc_auction.domain.increments import DEFAULT_LADDER, Ladder, Step

MICROSECOND = timedelta(microseconds=1)
MOMENTS = ["later"] * 14 + ["window"] * 3 + ["last"] * 2 + ["end"]
ANCHORS = ("minimum", "leader", "reserve", "bracket", "zero")


@dataclass(frozen=True)
class Attempt:
    """A bid as it is drawn: an amount near an anchor of the auction's state, some time later."""

    bidder_id: str
    anchor: str
    delta_minor: int
    moment: str
    seconds_later: int
    currency_code: str

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
)


def _attempt(number: int) -> Attempt:
    """Unfold one drawn number into all choices: one draw is quicker than six."""
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
                times=st.integers(1, 3),
            ),
        )
    )
    return Scenario(
        opening_minor=opening_minor,
        reserve_minor=None if surplus is None else opening_minor + surplus,
        steps=draw(st.one_of(st.none(), ladders)),
        soft_close=extends,
        minutes_left=draw(st.integers(1, 6)),
        attempts=draw(st.lists(attempts, min_size=1, max_size=12)),
    )


def check_scenario(
    scenario: Scenario, rules: Any = bidding, ladder_of: type[Ladder] = Ladder
) -> None:
    """Bid by the rules and by the reference; AssertionError as soon as they differ."""
    terms, book, reference = _begin(scenario, ladder_of)
    now = END - timedelta(minutes=scenario.minutes_left)
    for attempt in scenario.attempts:
        now = attempt.at(now, reference.end()[0], scenario.soft_close)
        maximum_minor = attempt.maximum_minor(reference)
        expected = reference.refusal(attempt.bidder_id, attempt.currency_code, maximum_minor, now)
        bid = bidding.Bid(
            new_id(), AUCTION_ID, attempt.bidder_id, attempt.currency_code, maximum_minor
        )
        assert _place(rules, terms, book, bid, now) == expected
        if not expected:
            reference.accepted.append(Accepted(attempt.bidder_id, maximum_minor, now))
        leader = reference.leader()
        assert book.leader_id == (leader.bidder_id if leader else None)
        assert book.leader_maximum_minor == (leader.maximum_minor if leader else 0)
        assert book.price_minor == reference.price_minor()
        assert (book.ends_at, book.extension_count) == reference.end()
        assert rules.minimum_next_bid_minor(terms, book) == reference.minimum_minor()
        assert book.bid_count == len(reference.accepted)


def _begin(scenario: Scenario, ladder_of: type[Ladder]) -> tuple[Terms, Book, EnglishReference]:
    steps = scenario.steps or [
        (step.price_from_minor, step.step_minor) for step in DEFAULT_LADDER.steps
    ]
    terms = terms_of(
        opening_minor=scenario.opening_minor,
        reserve_minor=scenario.reserve_minor,
        ladder=ladder_of([Step(*step) for step in steps]),
        soft_close=scenario.soft_close,
    )
    extends = scenario.soft_close
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
    )
    return terms, book_of(terms), reference


def _place(
    rules: ModuleType | Any, terms: Terms, book: Book, bid: bidding.Bid, now: datetime
) -> str:
    """Return the reason for which the bid is refused, or nothing."""
    sequence_before = book.sequence
    try:
        rules.check_bid(terms, book, bid, now)
    except BlytzError as refusal:
        assert book.sequence == sequence_before
        return refusal.reason
    placed, extended = rules.accept_bid(terms, book, bid, now)
    assert placed.sequence == sequence_before + 1
    assert book.sequence == sequence_before + 1 + (extended is not None)
    assert (placed.leader_id, placed.price_minor) == (book.leader_id, book.price_minor)
    return ""
