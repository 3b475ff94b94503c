from collections.abc import Callable
from datetime import timedelta

import pytest

from fakes.auction_books import ADA, END, START, auction_of, place, soft_close, terms_of
from svc_auction.domain.auction import (
    CLOCK_TOLERANCE,
    DURATION_MAX,
    DURATION_MIN,
    ENDING_SOON,
    LIVE_DURATION_MAX,
    LOT_DURATION_DEFAULT,
    Auction,
    Update,
)
from svc_auction.domain.book import Book, Outcome, State
from svc_auction.domain.errors import (
    AuctionHasBids,
    StateTransitionInvalid,
    TermsInvalid,
)
from svc_auction.domain.events import (
    AuctionCancelled,
    AuctionEnded,
    AuctionEvent,
    AuctionPaused,
    AuctionQueued,
    AuctionResumed,
    AuctionScheduled,
    AuctionStarted,
    AuctionUpdated,
)
from svc_auction.domain.formats import LIVE_LOT

Edge = Callable[[Auction], AuctionEvent | None]

MICROSECOND = timedelta(microseconds=1)
DESCRIBED = Update(description="It ticks loudly.")
EDGES: dict[str, Edge] = {
    "scheduled": lambda a: a.schedule(now=START, starts_at=START, ends_at=END),
    "queued": lambda a: a.queue(now=START),
    "started": lambda a: a.start(now=START, ends_at=END),
    "started on schedule": lambda a: a.start_on_schedule(now=START),
    "opened": lambda a: a.open_lot(now=START, duration=None),
    "paused": lambda a: a.pause(now=START),
    "resumed": lambda a: a.resume(now=START),
    "closed": lambda a: a.close(now=START),
    "cancelled": lambda a: a.cancel(now=START, reason="", by_moderator=False),
    "dropped": lambda a: a.drop(now=START, reason=""),
    "updated": lambda a: a.update(now=START, etag="", update=DESCRIBED),
}
LEGAL: dict[tuple[State, str], tuple[State, type[AuctionEvent] | None]] = {
    (State.DRAFT, "scheduled"): (State.SCHEDULED, AuctionScheduled),
    (State.DRAFT, "queued"): (State.QUEUED, AuctionQueued),
    (State.DRAFT, "started"): (State.LIVE, AuctionStarted),
    (State.DRAFT, "cancelled"): (State.CANCELLED, AuctionCancelled),
    (State.DRAFT, "updated"): (State.DRAFT, None),
    (State.SCHEDULED, "scheduled"): (State.SCHEDULED, AuctionScheduled),
    (State.SCHEDULED, "started"): (State.LIVE, AuctionStarted),
    (State.SCHEDULED, "started on schedule"): (State.LIVE, AuctionStarted),
    (State.SCHEDULED, "cancelled"): (State.CANCELLED, AuctionCancelled),
    (State.SCHEDULED, "updated"): (State.SCHEDULED, AuctionUpdated),
    (State.QUEUED, "opened"): (State.LIVE, AuctionStarted),
    (State.QUEUED, "cancelled"): (State.CANCELLED, AuctionCancelled),
    (State.QUEUED, "dropped"): (State.CANCELLED, AuctionCancelled),
    (State.QUEUED, "updated"): (State.QUEUED, AuctionUpdated),
    (State.LIVE, "paused"): (State.PAUSED, AuctionPaused),
    (State.LIVE, "closed"): (State.ENDED, AuctionEnded),
    (State.LIVE, "cancelled"): (State.CANCELLED, AuctionCancelled),
    (State.LIVE, "updated"): (State.LIVE, AuctionUpdated),
    (State.PAUSED, "resumed"): (State.LIVE, AuctionResumed),
    (State.PAUSED, "closed"): (State.ENDED, AuctionEnded),
    (State.PAUSED, "cancelled"): (State.CANCELLED, AuctionCancelled),
    (State.PAUSED, "updated"): (State.PAUSED, AuctionUpdated),
}
ALL = [(state, edge) for state in State for edge in EDGES]


def auction_in(state: State) -> Auction:
    """Return an auction without bids as it is in a state."""
    waits = {"starts_at": None, "ends_at": None, "announced_end_at": None}
    times = waits if state in {State.DRAFT, State.QUEUED} else {}
    paused = {"paused_at": START} if state is State.PAUSED else {}
    return auction_of(terms_of(), state=state, **times, **paused)


@pytest.mark.parametrize(("state", "edge"), [pair for pair in ALL if pair in LEGAL])
def test_a_legal_edge_is_one_event(state: State, edge: str) -> None:
    auction = auction_in(state)
    event = EDGES[edge](auction)
    after, event_type = LEGAL[state, edge]
    assert auction.book.state is after
    if event_type is None:
        assert (event, auction.book.sequence) == (None, 2)
    else:
        assert event is not None
        assert type(event) is event_type
        assert (event.sequence, event.occurred_at) == (3, START)
        assert auction.book.sequence == 3


@pytest.mark.parametrize(("state", "edge"), [pair for pair in ALL if pair not in LEGAL])
def test_every_other_edge_raises_and_changes_nothing(state: State, edge: str) -> None:
    auction = auction_in(state)
    with pytest.raises(StateTransitionInvalid) as refused:
        EDGES[edge](auction)
    assert refused.value.metadata == {"state": state.name}
    assert refused.value.facts["wanted"] == edge.removesuffix(" on schedule")
    assert auction == auction_in(state)


@pytest.mark.parametrize("edge", EDGES)
def test_when_the_time_is_over_there_is_only_the_end(edge: str) -> None:
    over = {"starts_at": START - timedelta(hours=1), "ends_at": START}
    auction = auction_of(terms_of(), **over)
    assert auction.book.is_over_at(START)
    if edge == "closed":
        EDGES[edge](auction)
        assert auction.book.state is State.ENDED
        return
    with pytest.raises(StateTransitionInvalid) as refused:
        EDGES[edge](auction)
    assert refused.value.metadata == {"state": "ENDED"}
    assert auction == auction_of(terms_of(), **over)


def test_the_time_is_over_at_the_end_itself_and_only_while_the_clock_runs() -> None:
    live, paused = book_in(State.LIVE), book_in(State.PAUSED)
    assert [live.is_over_at(at) for at in (END - MICROSECOND, END)] == [False, True]
    assert not paused.is_over_at(END)
    assert not book_in(State.QUEUED).is_over_at(END)


def book_in(state: State) -> Book:
    return auction_in(state).book


def test_the_scheduled_end_counts_when_the_seller_names_none() -> None:
    auction = auction_of(terms_of(), state=State.SCHEDULED)
    auction.start(now=START + timedelta(minutes=1), ends_at=None)
    assert (auction.book.starts_at, auction.book.ends_at) == (START + timedelta(minutes=1), END)


def test_a_draft_without_an_end_cannot_start() -> None:
    auction = auction_in(State.DRAFT)
    with pytest.raises(TermsInvalid, match="end is missing"):
        auction.start(now=START, ends_at=None)
    assert auction.book.state is State.DRAFT


def test_a_late_start_keeps_the_announced_end() -> None:
    auction = auction_of(terms_of(), state=State.SCHEDULED)
    late = END + timedelta(hours=1)
    auction.start_on_schedule(now=late)
    assert (auction.book.starts_at, auction.book.ends_at) == (late, END)


@pytest.mark.parametrize("duration", [DURATION_MIN - MICROSECOND, DURATION_MAX + MICROSECOND])
def test_an_auction_is_neither_too_short_nor_too_long(duration: timedelta) -> None:
    auction = auction_in(State.DRAFT)
    with pytest.raises(TermsInvalid, match="5 seconds to 30 days"):
        auction.schedule(now=START, starts_at=START, ends_at=START + duration)
    with pytest.raises(TermsInvalid, match="5 seconds to 30 days"):
        auction.start(now=START, ends_at=START + duration)
    assert auction == auction_in(State.DRAFT)


@pytest.mark.parametrize("duration", [DURATION_MIN, DURATION_MAX])
def test_the_limits_of_the_duration_are_allowed(duration: timedelta) -> None:
    auction = auction_in(State.DRAFT)
    auction.start(now=START, ends_at=START + duration)
    assert auction.book.ends_at == auction.book.announced_end_at == START + duration


def test_a_live_lot_lasts_an_hour_at_the_most() -> None:
    auction = auction_in(State.DRAFT)
    auction.terms = terms_of(format=LIVE_LOT)
    too_long = START + LIVE_DURATION_MAX + MICROSECOND
    with pytest.raises(TermsInvalid, match="an hour at the most"):
        auction.schedule(now=START, starts_at=START, ends_at=too_long)
    with pytest.raises(TermsInvalid, match="an hour at the most"):
        auction.start(now=START, ends_at=too_long)
    auction.start(now=START, ends_at=START + LIVE_DURATION_MAX)
    assert auction.book.state is State.LIVE


def test_a_start_in_the_past_is_refused_beyond_a_late_clock() -> None:
    auction = auction_in(State.DRAFT)
    tolerated = START - CLOCK_TOLERANCE
    auction.schedule(now=START, starts_at=tolerated, ends_at=END)
    with pytest.raises(TermsInvalid, match="past"):
        auction.schedule(now=START, starts_at=tolerated - MICROSECOND, ends_at=END)


@pytest.mark.parametrize(
    ("asked", "agreed", "lasts"),
    [
        (timedelta(seconds=90), timedelta(seconds=45), timedelta(seconds=90)),
        (None, timedelta(seconds=45), timedelta(seconds=45)),
        (None, None, LOT_DURATION_DEFAULT),
    ],
)
def test_a_lot_is_open_for_as_long_as_the_seller_says(
    asked: timedelta | None, agreed: timedelta | None, lasts: timedelta
) -> None:
    auction = auction_in(State.QUEUED)
    auction.terms = terms_of(lot_duration=agreed)
    place(auction.terms, auction.book, ADA, 50_00)
    now = START + timedelta(hours=3)
    auction.open_lot(now=now, duration=asked)
    book = auction.book
    assert (book.starts_at, book.ends_at, book.announced_end_at) == (now, now + lasts, now + lasts)
    assert (book.leader_id, book.bid_count) == (ADA, 1)


@pytest.mark.parametrize(
    ("lasts", "told_at"),
    [
        (2 * ENDING_SOON, START + ENDING_SOON),
        (2 * ENDING_SOON - MICROSECOND, None),
        (timedelta(hours=1), START + timedelta(minutes=55)),
    ],
)
def test_only_of_a_long_auction_is_told_that_it_ends_soon(
    lasts: timedelta, told_at: object
) -> None:
    auction = auction_in(State.DRAFT)
    auction.start(now=START, ends_at=START + lasts)
    assert auction.book.ending_soon_at == told_at


def test_after_a_pause_everything_is_as_far_away_as_it_was() -> None:
    auction = auction_in(State.DRAFT)
    auction.start(now=START, ends_at=END)
    paused_at, stopped_for = START + timedelta(minutes=7), timedelta(hours=30, microseconds=1)
    auction.pause(now=paused_at)
    assert (auction.book.ends_at, auction.book.paused_at) == (END, paused_at)
    auction.resume(now=paused_at + stopped_for)
    book = auction.book
    assert (book.paused_at, book.paused_for) == (None, stopped_for)
    assert book.ends_at == book.announced_end_at == END + stopped_for
    assert book.ending_soon_at == END - ENDING_SOON + stopped_for
    auction.pause(now=paused_at + stopped_for)
    auction.resume(now=paused_at + stopped_for + timedelta(seconds=3))
    assert book.paused_for == stopped_for + timedelta(seconds=3)
    assert book.ends_at == END + stopped_for + timedelta(seconds=3)


def test_a_pause_of_an_extended_auction_keeps_both_ends() -> None:
    auction = auction_of(terms_of(soft_close=soft_close(within_s=60, by_s=60)))
    place(auction.terms, auction.book, ADA, 1_00, now=END - timedelta(seconds=10))
    auction.pause(now=END)
    auction.resume(now=END + timedelta(minutes=1))
    assert auction.book.ends_at == END + timedelta(seconds=50) + timedelta(minutes=1)
    assert auction.book.announced_end_at == END + timedelta(minutes=1)


def test_what_is_held_stays_held_during_a_pause() -> None:
    auction = auction_of(terms_of(), held_minor=50_00)
    auction.pause(now=START)
    assert auction.book.held_minor == 50_00
    auction.resume(now=START)
    assert auction.book.held_minor == 50_00


@pytest.mark.parametrize("edge", ["closed", "cancelled"])
def test_a_close_or_cancellation_leaves_nothing_behind(edge: str) -> None:
    auction = auction_of(terms_of(), held_minor=50_00, ending_soon_at=END, paused_at=START)
    auction.book.state = State.PAUSED
    EDGES[edge](auction)
    book = auction.book
    assert (book.held_minor, book.paused_at, book.ending_soon_at) == (0, None, None)


def test_with_bids_only_a_moderator_calls_it_off() -> None:
    auction = auction_of(terms_of())
    place(auction.terms, auction.book, ADA, 50_00)
    with pytest.raises(AuctionHasBids):
        auction.cancel(now=START, reason="", by_moderator=False)
    assert auction.book.state is State.LIVE
    event = auction.cancel(now=START, reason="Fake.", by_moderator=True)
    assert isinstance(event, AuctionCancelled)
    assert (event.reason, auction.book.outcome) == ("Fake.", Outcome.CANCELLED)


def test_a_lot_is_dropped_whatever_was_bid_ahead() -> None:
    auction = auction_in(State.QUEUED)
    place(auction.terms, auction.book, ADA, 50_00)
    event = auction.drop(now=START, reason="The show has ended.")
    assert isinstance(event, AuctionCancelled)
    assert (event.reason, auction.book.outcome) == ("The show has ended.", Outcome.CANCELLED)
