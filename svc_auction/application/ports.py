"""What the use cases need from the outside: shards of auctions, bid lanes, and the wallet."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kernel.money import Money
from svc_auction.domain.auction import Auction, State, Terms
from svc_auction.domain.bidding import Bid
from svc_auction.domain.events import AuctionEvent, BidPlaced


@dataclass(frozen=True, slots=True)
class PlacedBid:
    """An accepted bid with what its answer needs beside the event itself."""

    auction_id: str
    epoch: int
    terms: Terms
    event: BidPlaced


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

    def record(self, event: AuctionEvent) -> None:
        """Have the event published when the change commits, and the book saved with it."""


class Auctions(Protocol):
    """All auctions, on whatever shard; ``AuctionNotFound`` and ``ShardUnavailable`` as they are."""

    async def create(self, new: NewAuction) -> Auction:
        """Create a draft, or return the one that the same request created before."""

    def change(self, auction_id: str) -> AbstractAsyncContextManager[AuctionChange]:
        """Lock an auction; what is recorded is committed when the context ends without error."""

    async def get(self, auction_id: str) -> Auction:
        """Return an auction as it is committed."""

    async def own_maximum_minor(self, auction_id: str, bidder_id: str) -> int | None:
        """Return a bidder's highest maximum, or None before their first bid."""

    async def list_page(
        self, *, state: State, seller_id: str | None, after: ListPosition | None, limit: int
    ) -> Sequence[Auction]:
        """Return up to ``limit`` auctions of all shards after a position.

        Announced and live ones come soonest end first, those that are over latest first.
        """

    async def bids_before(
        self, auction_id: str, *, before_sequence: int, limit: int
    ) -> Sequence[BidPlaced]:
        """Return up to ``limit`` accepted bids below a sequence, newest first."""


class BidLanes(Protocol):
    """Where bids are decided and committed, many at a time."""

    async def place(self, bid: Bid) -> PlacedBid:
        """Commit a bid, or raise why it is refused."""


class BiddingPower(Protocol):
    """The power that the wallet lends to the auction shards."""

    async def top_up(self, *, auction_id: str, bidder_id: str, shortfall: Money) -> None:
        """Get the bidder at least ``shortfall`` more, or raise ``InsufficientFunds``."""
