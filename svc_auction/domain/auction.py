"""An auction: what is sold, under which terms, and the edges of its state machine."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from svc_auction.domain.book import Book, Outcome, State
from svc_auction.domain.closing import end, outcome_of
from svc_auction.domain.errors import (
    AuctionHasBids,
    EtagMismatch,
    StateTransitionInvalid,
    TermsFrozen,
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
from svc_auction.domain.terms import Terms

DURATION_MIN = timedelta(seconds=5)
DURATION_MAX = timedelta(days=30)
LIVE_DURATION_MAX = timedelta(hours=1)
LOT_DURATION_DEFAULT = timedelta(seconds=30)
CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far in the past a start may lie, for clients whose clocks are late."""
ENDING_SOON = timedelta(minutes=5)
"""How long before the end watchers are told, of auctions that take twice as long at least."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is sold, and by whom; ``revision`` counts the changes of it and of the terms."""

    auction_id: str
    seller_name: str
    title: str
    description: str
    image_url: str
    created_at: datetime
    revision: int = 1
    description_changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """What is to change of a listing and its terms; None leaves it as it is."""

    title: str | None = None
    description: str | None = None
    image_url: str | None = None
    terms: Terms | None = None


@dataclass(slots=True)
class Auction:
    """An auction as a whole; its methods are the edges of its state machine."""

    listing: Listing
    terms: Terms
    book: Book

    @property
    def etag(self) -> str:
        """The version of the listing and the terms, for concurrent edits."""
        return str(self.listing.revision)

    def update(self, *, now: datetime, etag: str, update: Update) -> AuctionEvent | None:
        """Change the listing or the terms; nothing is published of a draft."""
        if etag and etag != self.etag:
            raise EtagMismatch
        book = self.book
        self._leave(set(State) - {State.ENDED, State.CANCELLED}, "updated", now)
        begun = book.state in {State.LIVE, State.PAUSED} or book.log_head != b""
        if begun and (update.title, update.image_url, update.terms) != (None, None, None):
            raise TermsFrozen
        if update.terms is not None:
            limited = self.terms.bidder_limit_minor is not None
            if limited and update.terms.currency_code != self.terms.currency_code:
                raise TermsInvalid(problem="the show's limit for bidders is in another currency")
            self._replace_terms(update.terms)
        listing = self.listing
        described = update.description not in {None, listing.description}
        self.listing = replace(
            listing,
            title=listing.title if update.title is None else update.title,
            description=listing.description if update.description is None else update.description,
            image_url=listing.image_url if update.image_url is None else update.image_url,
            revision=listing.revision + 1,
            description_changed_at=now if described else listing.description_changed_at,
        )
        if book.state is State.DRAFT:
            return None
        return AuctionUpdated(sequence=book.next_sequence(), occurred_at=now)

    def schedule(self, *, now: datetime, starts_at: datetime, ends_at: datetime) -> AuctionEvent:
        """Announce a draft, or change the times of an announced auction."""
        self._leave({State.DRAFT, State.SCHEDULED}, "scheduled", now)
        if starts_at < now - CLOCK_TOLERANCE:
            raise TermsInvalid(problem="the start lies in the past")
        _check_duration(self.terms, starts_at, ends_at)
        book = self.book
        book.state, book.starts_at, book.ends_at = State.SCHEDULED, starts_at, ends_at
        return AuctionScheduled(sequence=book.next_sequence(), occurred_at=now)

    def queue(self, *, now: datetime) -> AuctionEvent:
        """Let a draft wait in its show; it takes bids ahead, unless its price falls."""
        self._leave({State.DRAFT}, "queued", now)
        self.book.state = State.QUEUED
        return AuctionQueued(sequence=self.book.next_sequence(), occurred_at=now)

    def start(self, *, now: datetime, ends_at: datetime | None) -> AuctionEvent:
        """Take bids from now on, until ``ends_at`` or the end that was scheduled."""
        self._leave({State.DRAFT, State.SCHEDULED}, "started", now)
        ends_at = ends_at or self.book.ends_at
        if ends_at is None:
            raise TermsInvalid(problem="the end is missing")
        _check_duration(self.terms, now, ends_at)
        return self._open(now, ends_at)

    def start_on_schedule(self, *, now: datetime) -> AuctionEvent:
        """Take bids because the scheduled start has come; the end stays as it was announced."""
        self._leave({State.SCHEDULED}, "started", now)
        if self.book.ends_at is None:
            raise TermsInvalid(problem="the end is missing")
        return self._open(now, self.book.ends_at)

    def open_lot(self, *, now: datetime, duration: timedelta | None) -> AuctionEvent:
        """Start the clock of a lot that waits, for ``duration`` or as its terms say."""
        self._leave({State.QUEUED}, "opened", now)
        duration = duration or self.terms.lot_duration or LOT_DURATION_DEFAULT
        return self._open(now, now + duration)

    def pause(self, *, now: datetime) -> AuctionEvent:
        """Stop the clock; what is held stays held."""
        self._leave({State.LIVE}, "paused", now)
        self.book.state, self.book.paused_at = State.PAUSED, now
        return AuctionPaused(sequence=self.book.next_sequence(), occurred_at=now)

    def resume(self, *, now: datetime) -> AuctionEvent:
        """Let the clock run on: the end is as far away as it was."""
        self._leave({State.PAUSED}, "resumed", now)
        book = self.book
        stopped_for = now - (book.paused_at or now)
        book.state, book.paused_at = State.LIVE, None
        book.paused_for += stopped_for
        if book.ends_at is not None:
            book.ends_at += stopped_for
        if book.announced_end_at is not None:
            book.announced_end_at += stopped_for
        if book.ending_soon_at is not None:
            book.ending_soon_at += stopped_for
        return AuctionResumed(sequence=book.next_sequence(), occurred_at=now)

    def close(self, *, now: datetime) -> AuctionEnded:
        """End the bidding; the leader wins if the reserve is met."""
        if self.book.state not in {State.LIVE, State.PAUSED}:
            raise StateTransitionInvalid(state=self.book.state.name, wanted="closed")
        return end(self.book, outcome_of(self.terms, self.book), now)

    def cancel(self, *, now: datetime, reason: str, by_moderator: bool) -> AuctionEvent:
        """Call the auction off; nobody wins and nothing stays held."""
        self._leave(set(State) - {State.ENDED, State.CANCELLED}, "cancelled", now)
        if self.book.bid_count and not by_moderator:
            raise AuctionHasBids
        return self._call_off(now, reason)

    def drop(self, *, now: datetime, reason: str) -> AuctionEvent:
        """Call a lot off that waited in a show which has ended, whatever was bid ahead."""
        self._leave({State.QUEUED}, "dropped", now)
        return self._call_off(now, reason)

    def _replace_terms(self, terms: Terms) -> None:
        """Put other terms in place before the first bid; a lot stays in its show."""
        book, lot = self.book, self.terms
        if book.starts_at is not None and book.ends_at is not None:
            _check_duration(terms, book.starts_at, book.ends_at)
        self.terms = replace(terms, show_id=lot.show_id, bidder_limit_minor=lot.bidder_limit_minor)
        book.price_minor = terms.opening_minor

    def _call_off(self, now: datetime, reason: str) -> AuctionEvent:
        book = self.book
        book.state, book.outcome, book.held_minor = State.CANCELLED, Outcome.CANCELLED, 0
        book.paused_at = book.ending_soon_at = None
        return AuctionCancelled(sequence=book.next_sequence(), occurred_at=now, reason=reason)

    def _open(self, now: datetime, ends_at: datetime) -> AuctionEvent:
        book = self.book
        book.state, book.starts_at = State.LIVE, now
        book.ends_at = book.announced_end_at = ends_at
        if ends_at - now >= 2 * ENDING_SOON:
            book.ending_soon_at = ends_at - ENDING_SOON
        return AuctionStarted(sequence=book.next_sequence(), occurred_at=now)

    def _leave(self, allowed: set[State], wanted: str, now: datetime) -> None:
        """Refuse an edge that is not there; an auction whose time is over has none but its end."""
        if self.book.is_over_at(now):
            raise StateTransitionInvalid(state=State.ENDED.name, wanted=wanted)
        if self.book.state not in allowed:
            raise StateTransitionInvalid(state=self.book.state.name, wanted=wanted)


def _check_duration(terms: Terms, starts_at: datetime, ends_at: datetime) -> None:
    if not DURATION_MIN <= ends_at - starts_at <= DURATION_MAX:
        raise TermsInvalid(problem="an auction lasts 5 seconds to 30 days")
    if terms.format is LIVE_LOT and ends_at - starts_at > LIVE_DURATION_MAX:
        raise TermsInvalid(problem="a live lot lasts an hour at the most")
