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


class AuctionQueued(AuctionEvent):
    """The auction is a lot that waits in its show."""


class AuctionStarted(AuctionEvent):
    """Bids are taken from now on."""


class AuctionUpdated(AuctionEvent):
    """The listing or the terms of a public auction were changed."""


class AuctionPaused(AuctionEvent):
    """The clock was stopped."""


class AuctionResumed(AuctionEvent):
    """The clock runs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BidPlaced(AuctionEvent):
    """A bid was accepted: a record of the bid log, and all that its answer is made of.

    ``price_minor`` and ``leader_id`` are as after the bid; ``outbid_id`` lost the lead by it.
    ``ends_at`` is None on a lot that waits. ``won`` says that the bid ended the auction. ``salt``
    is in the hash of the record and told to nobody but the bidder; it is empty where a bid was read
    for another purpose.
    """

    bid_id: str
    request_id: str
    bidder_id: str
    maximum_minor: int
    price_minor: int
    leader_id: str
    outbid_id: str | None
    bid_count: int
    ends_at: datetime | None
    record_hash: bytes
    won: bool = False
    retracted: bool = False
    salt: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class BidsRetracted(AuctionEvent):
    """Bids no longer count: a record of the bid log, and all that its answer is made of.

    ``bid_ids`` are theirs, oldest first, and ``sequences`` their numbers; ``price_minor`` and
    ``leader_id`` are as recomputed from what stays.
    """

    retraction_id: str
    request_id: str
    bidder_id: str
    reason: int
    bid_ids: tuple[str, ...]
    sequences: tuple[int, ...]
    price_minor: int
    leader_id: str | None
    record_hash: bytes
    salt: bytes = b""


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
