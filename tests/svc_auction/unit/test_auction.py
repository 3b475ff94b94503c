from collections.abc import Callable
from datetime import timedelta

import pytest

from fakes.auction_books import ADA, BOB, END, START, auction_of, place, terms_of
from svc_auction.domain.auction import (
    CLOCK_TOLERANCE,
    DURATION_MAX,
    DURATION_MIN,
    Auction,
    Outcome,
    State,
)
from svc_auction.domain.errors import AuctionHasBids, StateTransitionInvalid, TermsInvalid
from svc_auction.domain.events import (
    AuctionCancelled,
    AuctionEnded,
    AuctionEvent,
    AuctionScheduled,
    AuctionStarted,
)

Edge = Callable[[Auction], AuctionEvent]

EDGES: dict[str, Edge] = {
    "schedule": lambda a: a.schedule(now=START, starts_at=START, ends_at=END),
    "start": lambda a: a.start(now=START, ends_at=END),
    "start_on_schedule": lambda a: a.start_on_schedule(now=START),
    "close": lambda a: a.close(now=START),
    "cancel": lambda a: a.cancel(now=START, reason="", by_moderator=False),
}
LEGAL = {
    (State.DRAFT, "schedule"): (State.SCHEDULED, AuctionScheduled),
    (State.DRAFT, "start"): (State.LIVE, AuctionStarted),
    (State.DRAFT, "cancel"): (State.CANCELLED, AuctionCancelled),
    (State.SCHEDULED, "schedule"): (State.SCHEDULED, AuctionScheduled),
    (State.SCHEDULED, "start"): (State.LIVE, AuctionStarted),
    (State.SCHEDULED, "start_on_schedule"): (State.LIVE, AuctionStarted),
    (State.SCHEDULED, "cancel"): (State.CANCELLED, AuctionCancelled),
    (State.LIVE, "close"): (State.ENDED, AuctionEnded),
    (State.LIVE, "cancel"): (State.CANCELLED, AuctionCancelled),
}
ALL = [(state, edge) for state in State for edge in EDGES]


@pytest.mark.parametrize(("state", "edge"), [pair for pair in ALL if pair in LEGAL])
def test_a_legal_edge_is_one_event(state: State, edge: str) -> None:
    auction = auction_of(terms_of(), state=state)
    event = EDGES[edge](auction)
    assert (auction.book.state, type(event)) == LEGAL[state, edge]
    assert event.sequence == auction.book.sequence == 3


@pytest.mark.parametrize(("state", "edge"), [pair for pair in ALL if pair not in LEGAL])
def test_every_other_edge_raises_and_changes_nothing(state: State, edge: str) -> None:
    auction = auction_of(terms_of(), state=state)
    with pytest.raises(StateTransitionInvalid) as refused:
        EDGES[edge](auction)
    assert refused.value.metadata == {"state": state.name}
    assert auction == auction_of(terms_of(), state=state)


def test_the_scheduled_end_counts_when_the_seller_names_none() -> None:
    auction = auction_of(terms_of(), state=State.SCHEDULED)
    auction.start(now=START + timedelta(minutes=1), ends_at=None)
    assert (auction.book.starts_at, auction.book.ends_at) == (START + timedelta(minutes=1), END)


def test_a_draft_without_an_end_cannot_start() -> None:
    auction = auction_of(terms_of(), state=State.DRAFT, starts_at=None, ends_at=None)
    with pytest.raises(TermsInvalid, match="end is missing"):
        auction.start(now=START, ends_at=None)
    assert auction.book.state is State.DRAFT


def test_a_late_start_keeps_the_announced_end() -> None:
    auction = auction_of(terms_of(), state=State.SCHEDULED)
    late = END + timedelta(hours=1)
    auction.start_on_schedule(now=late)
    assert (auction.book.starts_at, auction.book.ends_at) == (late, END)


@pytest.mark.parametrize(
    "duration", [DURATION_MIN - timedelta(microseconds=1), DURATION_MAX + timedelta(microseconds=1)]
)
def test_an_auction_is_neither_too_short_nor_too_long(duration: timedelta) -> None:
    auction = auction_of(terms_of(), state=State.DRAFT)
    with pytest.raises(TermsInvalid, match="5 seconds to 30 days"):
        auction.schedule(now=START, starts_at=START, ends_at=START + duration)
    with pytest.raises(TermsInvalid, match="5 seconds to 30 days"):
        auction.start(now=START, ends_at=START + duration)
    assert auction.book.state is State.DRAFT


@pytest.mark.parametrize("duration", [DURATION_MIN, DURATION_MAX])
def test_the_limits_of_the_duration_are_allowed(duration: timedelta) -> None:
    auction = auction_of(terms_of(), state=State.DRAFT)
    auction.start(now=START, ends_at=START + duration)
    assert auction.book.ends_at == START + duration


def test_a_start_in_the_past_is_refused_beyond_a_late_clock() -> None:
    auction = auction_of(terms_of(), state=State.DRAFT)
    tolerated = START - CLOCK_TOLERANCE
    auction.schedule(now=START, starts_at=tolerated, ends_at=END)
    with pytest.raises(TermsInvalid, match="past"):
        auction.schedule(now=START, starts_at=tolerated - timedelta(microseconds=1), ends_at=END)


def test_the_leader_wins_at_the_price() -> None:
    auction = auction_of(terms_of())
    place(auction.terms, auction.book, ADA, 50_00)
    place(auction.terms, auction.book, BOB, 20_00)
    ended = auction.close(now=END)
    assert (ended.outcome, ended.winner_id, ended.price_minor) == (Outcome.SOLD, ADA, 20_50)
    assert ended.log_head == auction.book.log_head
    assert (auction.book.outcome, auction.book.ends_at) == (Outcome.SOLD, END)


@pytest.mark.parametrize(
    ("maximum_minor", "outcome", "winner_id"),
    [(79_99, Outcome.RESERVE_NOT_MET, None), (80_00, Outcome.SOLD, ADA)],
)
def test_below_the_reserve_nobody_wins(
    maximum_minor: int, outcome: Outcome, winner_id: str | None
) -> None:
    auction = auction_of(terms_of(reserve_minor=80_00))
    place(auction.terms, auction.book, ADA, maximum_minor)
    ended = auction.close(now=END)
    assert (ended.outcome, ended.winner_id) == (outcome, winner_id)


def test_without_bids_nobody_wins() -> None:
    ended = auction_of(terms_of()).close(now=END)
    assert (ended.outcome, ended.winner_id, ended.log_head) == (Outcome.NO_BIDS, None, b"")


def test_a_close_or_cancellation_holds_nothing_any_more() -> None:
    for end in ("close", "cancel"):
        auction = auction_of(terms_of(), held_minor=50_00)
        EDGES[end](auction)
        assert auction.book.held_minor == 0


def test_with_bids_only_a_moderator_calls_it_off() -> None:
    auction = auction_of(terms_of())
    place(auction.terms, auction.book, ADA, 50_00)
    with pytest.raises(AuctionHasBids):
        auction.cancel(now=START, reason="", by_moderator=False)
    assert auction.book.state is State.LIVE
    event = auction.cancel(now=START, reason="Fake.", by_moderator=True)
    assert isinstance(event, AuctionCancelled)
    assert (event.reason, auction.book.outcome) == ("Fake.", Outcome.CANCELLED)


def test_a_reserve_below_the_opening_price_is_refused() -> None:
    terms_of(opening_minor=100, reserve_minor=100)
    with pytest.raises(TermsInvalid, match="reserve"):
        terms_of(opening_minor=100, reserve_minor=99)
