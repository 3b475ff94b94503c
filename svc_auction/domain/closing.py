"""The end of an auction: what it comes to, and what stays of the book."""

from datetime import datetime

from svc_auction.domain.book import Book, Outcome, State
from svc_auction.domain.events import AuctionEnded
from svc_auction.domain.terms import Terms

SALES = frozenset({Outcome.SOLD, Outcome.BOUGHT_NOW})


def outcome_of(terms: Terms, book: Book) -> Outcome:
    """Return what the auction comes to if it ends now: the leader wins if the reserve is met."""
    if book.leader_id is None:
        return Outcome.NO_BIDS
    if terms.reserve_minor is not None and book.leader_maximum_minor < terms.reserve_minor:
        return Outcome.RESERVE_NOT_MET
    return Outcome.SOLD


def end(book: Book, outcome: Outcome, now: datetime) -> AuctionEnded:
    """End the auction; nothing stays held for it."""
    book.state, book.outcome, book.ends_at = State.ENDED, outcome, now
    book.held_minor, book.paused_at, book.ending_soon_at = 0, None, None
    return AuctionEnded(
        sequence=book.next_sequence(),
        occurred_at=now,
        outcome=outcome,
        price_minor=book.price_minor,
        winner_id=book.leader_id if outcome in SALES else None,
        log_head=book.log_head,
    )
