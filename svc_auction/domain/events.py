"""What happens to an auction; each event has the next number of the auction's sequence."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionEvent:
    """Something that happened to an auction at ``occurred_at``, as its event ``sequence``."""

    sequence: int
    occurred_at: datetime


class AuctionCreated(AuctionEvent):
    """A draft exists."""


class AuctionScheduled(AuctionEvent):
    """The auction is announced."""


class AuctionStarted(AuctionEvent):
    """Bids are taken from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BidPlaced(AuctionEvent):
    """A bid was accepted: a record of the bid log, and all that its answer is made of.

    ``price_minor`` and ``leader_id`` are as after the bid; ``outbid_id`` lost the lead by it.
    """

    bid_id: str
    request_id: str
    bidder_id: str
    maximum_minor: int
    price_minor: int
    leader_id: str
    outbid_id: str | None
    bid_count: int
    ends_at: datetime
    record_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionExtended(AuctionEvent):
    """A late bid moved the end."""

    ends_at: datetime
    extension_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionEnded(AuctionEvent):
    """Bidding is over; ``winner_id`` is set if it sold, at ``price_minor``."""

    outcome: int
    price_minor: int
    winner_id: str | None
    log_head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionCancelled(AuctionEvent):
    """The auction was called off, for the reason that watchers see."""

    reason: str
