"""An auction: what is sold, under which terms, and the book of how it stands.

The listing and the terms never change once the auction runs; the book does with every bid. All
amounts are minor units of the terms' currency, all times come from the database's clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from svc_auction.domain.errors import AuctionHasBids, StateTransitionInvalid, TermsInvalid
from svc_auction.domain.events import (
    AuctionCancelled,
    AuctionEnded,
    AuctionEvent,
    AuctionScheduled,
    AuctionStarted,
)
from svc_auction.domain.increments import Ladder

DURATION_MIN = timedelta(seconds=5)
DURATION_MAX = timedelta(days=30)
CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far in the past a start may lie, for clients whose clocks are late."""


class State(IntEnum):
    """Where an auction stands; the numbers are the contract's."""

    DRAFT = 1
    SCHEDULED = 2
    LIVE = 3
    ENDED = 4
    CANCELLED = 5


class Outcome(IntEnum):
    """How an auction ended; the numbers are the contract's."""

    SOLD = 1
    RESERVE_NOT_MET = 2
    NO_BIDS = 3
    CANCELLED = 4


class Funding(IntEnum):
    """How a bid is funded; the numbers are the contract's."""

    WALLET_HOLD = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class SoftClose:
    """A bid accepted with less than ``extend_within`` left moves the end to ``extend_by`` after it.

    That happens ``extensions_max`` times at the most.
    """

    extend_within: timedelta
    extend_by: timedelta
    extensions_max: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one auction; frozen when it starts."""

    seller_id: str
    currency_code: str
    opening_minor: int
    reserve_minor: int | None
    ladder: Ladder
    soft_close: SoftClose | None
    funding: Funding

    def __post_init__(self) -> None:
        if self.reserve_minor is not None and self.reserve_minor < self.opening_minor:
            raise TermsInvalid(problem="the reserve is below the opening price")


@dataclass(frozen=True, slots=True)
class Listing:
    """What is sold, and by whom."""

    auction_id: str
    seller_name: str
    title: str
    description: str
    image_url: str
    created_at: datetime


@dataclass(slots=True)
class Book:
    """How an auction stands.

    ``sequence`` is the number of its last event, ``epoch`` that of its log. ``price_minor`` is the
    opening price until the first bid. ``held_minor`` is what is held of the leader's bidding power.
    ``log_head`` is the hash of the last record of the bid log, empty before the first.
    """

    auction_id: str
    state: State
    outcome: Outcome | None
    epoch: int
    sequence: int
    price_minor: int
    leader_id: str | None
    leader_maximum_minor: int
    held_minor: int
    bid_count: int
    extension_count: int
    starts_at: datetime | None
    ends_at: datetime | None
    log_head: bytes

    @classmethod
    def of_draft(cls, auction_id: str, terms: Terms) -> "Book":
        """Return the book as it is opened, with the auction's first event."""
        return cls(
            auction_id=auction_id,
            state=State.DRAFT,
            outcome=None,
            epoch=1,
            sequence=1,
            price_minor=terms.opening_minor,
            leader_id=None,
            leader_maximum_minor=0,
            held_minor=0,
            bid_count=0,
            extension_count=0,
            starts_at=None,
            ends_at=None,
            log_head=b"",
        )

    def next_sequence(self) -> int:
        """Count one more event."""
        self.sequence += 1
        return self.sequence


@dataclass(slots=True)
class Auction:
    """An auction as a whole; its methods are the edges of its state machine."""

    listing: Listing
    terms: Terms
    book: Book

    def schedule(self, *, now: datetime, starts_at: datetime, ends_at: datetime) -> AuctionEvent:
        """Announce a draft, or change the times of an announced auction."""
        self._leave({State.DRAFT, State.SCHEDULED}, "scheduled")
        if starts_at < now - CLOCK_TOLERANCE:
            raise TermsInvalid(problem="the start lies in the past")
        _check_duration(starts_at, ends_at)
        book = self.book
        book.state, book.starts_at, book.ends_at = State.SCHEDULED, starts_at, ends_at
        return AuctionScheduled(sequence=book.next_sequence(), occurred_at=now)

    def start(self, *, now: datetime, ends_at: datetime | None) -> AuctionEvent:
        """Take bids from now on, until ``ends_at`` or the end that was scheduled."""
        self._leave({State.DRAFT, State.SCHEDULED}, "started")
        book = self.book
        ends_at = ends_at or book.ends_at
        if ends_at is None:
            raise TermsInvalid(problem="the end is missing")
        _check_duration(now, ends_at)
        return self._open(now, ends_at)

    def start_on_schedule(self, *, now: datetime) -> AuctionEvent:
        """Take bids because the scheduled start has come; the end stays as it was announced."""
        self._leave({State.SCHEDULED}, "started")
        if self.book.ends_at is None:
            raise TermsInvalid(problem="the end is missing")
        return self._open(now, self.book.ends_at)

    def close(self, *, now: datetime) -> AuctionEnded:
        """End the bidding; the leader wins if the reserve is met."""
        self._leave({State.LIVE}, "closed")
        book, terms = self.book, self.terms
        if book.leader_id is None:
            outcome = Outcome.NO_BIDS
        elif terms.reserve_minor is not None and book.leader_maximum_minor < terms.reserve_minor:
            outcome = Outcome.RESERVE_NOT_MET
        else:
            outcome = Outcome.SOLD
        book.state, book.outcome, book.ends_at = State.ENDED, outcome, now
        book.held_minor = 0
        return AuctionEnded(
            sequence=book.next_sequence(),
            occurred_at=now,
            outcome=outcome,
            price_minor=book.price_minor,
            winner_id=book.leader_id if outcome is Outcome.SOLD else None,
            log_head=book.log_head,
        )

    def cancel(self, *, now: datetime, reason: str, by_moderator: bool) -> AuctionEvent:
        """Call the auction off; nobody wins and nothing stays held."""
        self._leave({State.DRAFT, State.SCHEDULED, State.LIVE}, "cancelled")
        book = self.book
        if book.bid_count and not by_moderator:
            raise AuctionHasBids
        book.state, book.outcome, book.held_minor = State.CANCELLED, Outcome.CANCELLED, 0
        return AuctionCancelled(sequence=book.next_sequence(), occurred_at=now, reason=reason)

    def _open(self, now: datetime, ends_at: datetime) -> AuctionEvent:
        book = self.book
        book.state, book.starts_at, book.ends_at = State.LIVE, now, ends_at
        return AuctionStarted(sequence=book.next_sequence(), occurred_at=now)

    def _leave(self, allowed: set[State], wanted: str) -> None:
        if self.book.state not in allowed:
            raise StateTransitionInvalid(state=self.book.state.name, wanted=wanted)


def _check_duration(starts_at: datetime, ends_at: datetime) -> None:
    if not DURATION_MIN <= ends_at - starts_at <= DURATION_MAX:
        raise TermsInvalid(problem="an auction lasts 5 seconds to 30 days")
