"""What the use cases need from the outside: shards of auctions, bid lanes, and the wallet."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kernel.money import Money
from svc_auction.domain.auction import Auction
from svc_auction.domain.bidding import Bid
from svc_auction.domain.book import State
from svc_auction.domain.events import AuctionEvent, BidPlaced, BidsRetracted
from svc_auction.domain.log_records import LoggedBid, LogRecord
from svc_auction.domain.retraction import Wish
from svc_auction.domain.terms import Terms


@dataclass(frozen=True, slots=True)
class PlacedBid:
    """An accepted bid with what its answer needs beside the event itself."""

    auction_id: str
    epoch: int
    terms: Terms
    event: BidPlaced


@dataclass(frozen=True, slots=True)
class Retraction:
    """Bids that were taken back, with what the answer needs beside the event itself."""

    auction_id: str
    epoch: int
    terms: Terms
    event: BidsRetracted


@dataclass(frozen=True, slots=True)
class Block:
    """Whether a seller's auctions are closed to a bidder, as of ``changed_at``."""

    seller_id: str
    bidder_id: str
    barred: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class NewAuction:
    """A draft to be created, and the command that asked for it."""

    request_id: str
    body_hash: bytes
    seller_name: str
    title: str
    description: str
    image_url: str
    terms: Terms


Position = tuple[int, int]
"""How far an auction has come: the epoch of its log and the number of its last event."""


def position_of(auction: Auction) -> Position:
    """Return how far an auction has come."""
    return auction.book.epoch, auction.book.sequence


@dataclass(frozen=True, slots=True)
class ListPosition:
    """Where a page of a list ended: the time it is ordered by, and the id that breaks ties."""

    at: datetime
    auction_id: str


class AuctionChange(Protocol):
    """An auction whose book is locked until the change ends."""

    @property
    def auction(self) -> Auction:
        """The auction, as it stands within the change."""

    @property
    def now(self) -> datetime:
        """The database's time, later than all that came before."""

    def record(self, event: AuctionEvent | None) -> None:
        """Have an event published when the change commits, and the auction saved with it."""


class Auctions(Protocol):
    """All auctions, on whatever shard; ``AuctionNotFound`` and ``ShardUnavailable`` as they are."""

    async def create(self, new: NewAuction) -> Auction:
        """Create a draft, or return the one that the same request created before."""

    def change(self, auction_id: str) -> AbstractAsyncContextManager[AuctionChange]:
        """Lock an auction; what is recorded is committed when the context ends without error."""

    async def get(self, auction_id: str, *, at_least: Position | None = None) -> Auction:
        """Return an auction as it is committed, or as it was at a position or later."""

    async def own_maximum_minor(self, auction_id: str, bidder_id: str) -> int | None:
        """Return a bidder's highest maximum, or None before their first bid."""

    async def list_page(
        self,
        *,
        state: State,
        seller_id: str | None,
        after: ListPosition | None,
        limit: int,
        may_lag: bool = False,
    ) -> Sequence[Auction]:
        """Return up to ``limit`` auctions of all shards after a position.

        Those with an end come soonest end first, those that are over latest first, drafts and
        waiting lots as they were created.
        """

    async def bids_before(
        self,
        auction_id: str,
        *,
        before_sequence: int,
        limit: int,
        at_least: Position | None = None,
    ) -> tuple[Auction, Sequence[BidPlaced]]:
        """Return an auction and up to ``limit`` of its bids below a sequence, newest first.

        Both are as they are committed at one moment, or as they were at a position or later.
        """


@dataclass(frozen=True, slots=True)
class WatchedAuction:
    """An auction on somebody's watch list, and when it was put there."""

    added_at: datetime
    auction: Auction


class Watches(Protocol):
    """Everybody's watch list, each entry on its auction's shard; ``ShardUnavailable`` as it is."""

    async def add(self, user_id: str, auction_id: str) -> None:
        """Put an auction on a list; one that is there already stays where it is."""

    async def remove(self, user_id: str, auction_id: str) -> None:
        """Take an auction off a list; one that is not there is no error."""

    async def page(
        self, user_id: str, *, after: ListPosition | None, limit: int
    ) -> Sequence[WatchedAuction]:
        """Return up to ``limit`` entries of all shards after a position, latest added first."""


class BidLanes(Protocol):
    """Where bids are decided and committed, many at a time."""

    async def place(self, bid: Bid) -> PlacedBid:
        """Commit a bid, or raise why it is refused."""


class Retractions(Protocol):
    """Where bids are taken back; ``AuctionNotFound`` and ``ShardUnavailable`` as they are."""

    async def retract(self, wish: Wish, *, uncovered_ids: frozenset[str]) -> Retraction:
        """Commit a retraction, or raise why it is refused; the same request has the first answer.

        Whoever comes to lead by it must be covered: otherwise their bids lapse if they are among
        ``uncovered_ids``, and ``HeirUncovered`` is raised if they are not.
        """


class Blocks(Protocol):
    """What one shard knows of whom sellers have blocked; ``ShardUnavailable`` if it is away."""

    async def times(self, seller_id: str, bidder_id: str) -> tuple[datetime, datetime | None]:
        """Return the shard's time, and when this seller last had their word about this bidder."""

    async def write(self, block: Block) -> None:
        """Note a block, or that there is none, unless a later word is there."""


@dataclass(frozen=True, slots=True)
class RecordedBid:
    """A bid as the log has it, and the hash of the record before, empty for the first."""

    bid: LoggedBid
    previous_hash: bytes


class LogReading(Protocol):
    """An auction and its log, both as they were at one instant."""

    @property
    def auction(self) -> Auction:
        """The auction as it was."""

    def records(self) -> AsyncIterator[LogRecord]:
        """Yield the records of the log, oldest first."""


class BidLogs(Protocol):
    """The bid logs; ``AuctionNotFound`` and ``ShardUnavailable`` as they are."""

    def reading(self, auction_id: str) -> AbstractAsyncContextManager[LogReading]:
        """Open the log of an auction; what is read may lag behind."""

    async def find_bid(
        self, auction_id: str, bid_id: str, *, bidder_id: str | None
    ) -> RecordedBid | None:
        """Return a bid as it is committed, if there is such a one of the bidder's or of anyone."""


class ReceiptSigner(Protocol):
    """Signs receipts."""

    def sign(self, claims: Mapping[str, str | int]) -> str:
        """Return the claims as a receipt that shows any change of them."""


class BiddingPower(Protocol):
    """The power that the wallet lends to the auction shards."""

    async def top_up(self, *, auction_id: str, bidder_id: str, shortfall: Money) -> None:
        """Get the bidder at least ``shortfall`` more, or raise ``InsufficientFunds``."""
