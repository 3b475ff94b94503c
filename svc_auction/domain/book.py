"""The book of an auction: how it stands; it changes with every bid."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from svc_auction.domain.terms import Terms


class State(IntEnum):
    """Where an auction stands; the numbers are the contract's."""

    DRAFT = 1
    SCHEDULED = 2
    LIVE = 3
    ENDED = 4
    CANCELLED = 5
    PAUSED = 6
    QUEUED = 7


class Outcome(IntEnum):
    """How an auction ended; the numbers are the contract's."""

    SOLD = 1
    RESERVE_NOT_MET = 2
    NO_BIDS = 3
    CANCELLED = 4
    BOUGHT_NOW = 5


@dataclass(slots=True)
class Book:
    """How an auction stands, in minor units of its terms' currency and by the database's clock.

    ``sequence`` is the number of its last event, ``epoch`` that of its log. ``price_minor`` is the
    opening price until the first bid, and the true price in a sealed auction, which nobody is shown
    before the end. ``held_minor`` is what is held of the leader's bidding power; sealed bids are
    held one by one. ``bid_count`` counts the bids that stand. ``announced_end_at`` is the end
    before late bids moved it. ``log_head`` is the hash of the last record of the bid log, empty
    before the first.
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
    announced_end_at: datetime | None
    paused_at: datetime | None
    paused_for: timedelta
    ending_soon_at: datetime | None
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
            announced_end_at=None,
            paused_at=None,
            paused_for=timedelta(0),
            ending_soon_at=None,
            log_head=b"",
        )

    @property
    def is_open(self) -> bool:
        """Whether the auction is on or yet to come, so that something may be held for it."""
        return self.state not in {State.ENDED, State.CANCELLED}

    def next_sequence(self) -> int:
        """Count one more event."""
        self.sequence += 1
        return self.sequence

    def is_over_at(self, now: datetime) -> bool:
        """Say whether the time is over, even if nobody has closed the auction yet."""
        return self.state is State.LIVE and self.ends_at is not None and now >= self.ends_at
