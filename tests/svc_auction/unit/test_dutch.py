"""The falling price, moment by moment, and who gets the lot for it."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fakes.auction_books import (
    ADA,
    AUCTION_ID,
    BOB,
    SELLER,
    START,
    asking_minor,
    auction_of,
    bid_of,
    book_of,
    check_bid,
    enter,
    terms_of,
)
from fakes.mutants import planted
from svc_auction.domain.bidding import due_minor
from svc_auction.domain.book import Outcome, State
from svc_auction.domain.errors import AuctionEnded, AuctionNotLive, BidTooLow, OwnAuction
from svc_auction.domain.events import AuctionEnded as Ended
from svc_auction.domain.formats import DUTCH, dutch
from svc_auction.domain.terms import FallingPrice

MICROSECOND = timedelta(microseconds=1)
EVERY = timedelta(seconds=10)
TERMS = terms_of(
    format=DUTCH,
    opening_minor=100_00,
    falling_price=FallingPrice(drop_minor=30_00, every=EVERY, floor_minor=25_00),
)


@pytest.mark.parametrize(
    ("elapsed", "price_minor"),
    [
        (timedelta(0), 100_00),
        (EVERY - MICROSECOND, 100_00),
        (EVERY, 70_00),
        (EVERY + MICROSECOND, 70_00),
        (2 * EVERY - MICROSECOND, 70_00),
        (2 * EVERY, 40_00),
        (3 * EVERY - MICROSECOND, 40_00),
        (3 * EVERY, 25_00),
        (4 * EVERY, 25_00),
        (timedelta(minutes=59), 25_00),
    ],
)
def test_the_price_falls_exactly_on_time_and_not_below_the_floor(
    elapsed: timedelta, price_minor: int
) -> None:
    assert asking_minor(TERMS, book_of(TERMS), START + elapsed) == price_minor


def test_before_the_start_the_price_stands_where_it_starts() -> None:
    for at in (START - timedelta(days=1), START - MICROSECOND):
        assert asking_minor(TERMS, book_of(TERMS), at) == 100_00
    waiting = book_of(TERMS, state=State.QUEUED, starts_at=None, ends_at=None)
    assert asking_minor(TERMS, waiting, START + timedelta(days=1)) == 100_00


def test_a_pause_does_not_count() -> None:
    auction = auction_of(TERMS)
    book = auction.book
    auction.pause(now=START + EVERY - MICROSECOND)
    assert asking_minor(TERMS, book, START + timedelta(minutes=5)) == 100_00
    resumed_at = START + timedelta(minutes=5)
    auction.resume(now=resumed_at)
    assert asking_minor(TERMS, book, resumed_at) == 100_00
    assert asking_minor(TERMS, book, resumed_at + MICROSECOND) == 70_00
    assert asking_minor(TERMS, book, resumed_at + MICROSECOND + EVERY) == 40_00


def test_the_first_to_take_it_pays_the_price_of_the_moment_whatever_they_would_have_paid() -> None:
    book, now = book_of(TERMS), START + 2 * EVERY
    bid = bid_of(ADA, 90_00)
    assert due_minor(TERMS, book, bid, now) == 40_00
    placed, ended = enter(TERMS, book, bid, now=now)
    assert (placed.won, placed.price_minor, placed.leader_id, placed.ends_at) == (
        True,
        40_00,
        ADA,
        now,
    )
    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.winner_id, ended.price_minor) == (Outcome.SOLD, ADA, 40_00)
    assert (placed.sequence, ended.sequence, book.sequence) == (3, 4, 4)
    assert (book.state, book.ends_at) == (State.ENDED, now)
    with pytest.raises(AuctionEnded):
        check_bid(TERMS, book, bid_of(BOB, 100_00), now)


def test_a_microsecond_too_early_is_too_little() -> None:
    with pytest.raises(BidTooLow) as refused:
        enter(TERMS, book_of(TERMS), bid_of(ADA, 70_00), now=START + EVERY - MICROSECOND)
    assert refused.value.metadata == {"minimum_minor": "10000"}
    enter(TERMS, book_of(TERMS), bid_of(ADA, 70_00), now=START + EVERY)


def test_nobody_takes_it_while_it_waits_or_the_clock_stands() -> None:
    waiting = book_of(TERMS, state=State.QUEUED, starts_at=None, ends_at=None)
    paused = book_of(TERMS, state=State.PAUSED, paused_at=START)
    for book in (waiting, paused):
        with pytest.raises(AuctionNotLive):
            enter(TERMS, book, bid_of(ADA, 100_00))


def test_the_seller_does_not_take_it() -> None:
    with pytest.raises(OwnAuction):
        enter(TERMS, book_of(TERMS), bid_of(SELLER, 100_00))


def test_nothing_follows_a_price_that_was_taken() -> None:
    assert DUTCH.next_minimum_minor(TERMS, 40_00) == 40_00


@dataclass(frozen=True)
class Schedule:
    """A falling price, the pauses of its auction as (start, length), and a moment, in ticks."""

    opening_minor: int
    drop_minor: int
    every: int
    floor_minor: int
    pauses: list[tuple[int, int]]
    moment: int

    def expected_minor(self) -> int:
        """Return the price by letting every tick go by."""
        stopped = {tick for at, length in self.pauses for tick in range(at, at + length)}
        price_minor, run = self.opening_minor, 0
        for tick in range(self.moment):
            if tick in stopped:
                continue
            run += 1
            if run % self.every == 0:
                price_minor = max(self.floor_minor, price_minor - self.drop_minor)
        return price_minor

    def check(self) -> None:
        """Pause and resume a real auction at the same ticks, and compare."""
        terms = terms_of(
            format=DUTCH,
            opening_minor=self.opening_minor,
            falling_price=FallingPrice(
                self.drop_minor, self.every * MICROSECOND, min(self.floor_minor, self.opening_minor)
            ),
        )
        auction = auction_of(terms)
        now = START + self.moment * MICROSECOND
        for at, length in self.pauses:
            begun, over = START + at * MICROSECOND, START + (at + length) * MICROSECOND
            if begun <= now:
                auction.pause(now=begun)
            if over <= now:
                auction.resume(now=over)
        assert asking_minor(terms, auction.book, now) == self.expected_minor()
        assert auction.book.auction_id == AUCTION_ID


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    opening_minor = draw(st.integers(1, 60))
    pauses, after = [], 0
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=3)):
        pauses.append((after + gap, length))
        after += gap + length
    return Schedule(
        opening_minor=opening_minor,
        drop_minor=draw(st.integers(1, 25)),
        every=draw(st.integers(1, 7)),
        floor_minor=draw(st.integers(1, opening_minor)),
        pauses=pauses,
        moment=draw(st.integers(0, 40)),
    )


@settings(max_examples=200, deadline=None)
@given(schedules())
def test_any_schedule_is_kept(schedule: Schedule) -> None:
    schedule.check()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param(
            "max(0, elapsed // falling.every)",
            "1 + max(0, elapsed // falling.every)",
            id="a drop too many",
        ),
        pytest.param(
            "elapsed // falling.every)",
            "-(-elapsed // falling.every))",
            id="a drop counts at the beginning of its interval",
        ),
        pytest.param(" - book.paused_for", "", id="a pause counts"),
        pytest.param("(book.paused_at or now)", "now", id="the clock does not stop"),
        pytest.param(
            "max(falling.floor_minor, terms.opening_minor - drops * falling.drop_minor)",
            "terms.opening_minor - drops * falling.drop_minor",
            id="no floor",
        ),
    ],
)
def test_a_planted_bug_is_found(right: str, wrong: str) -> None:
    @settings(
        max_examples=1_000,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(schedules())
    def search(schedule: Schedule) -> None:
        schedule.check()

    with planted(dutch, right, wrong), pytest.raises(AssertionError):
        search()
