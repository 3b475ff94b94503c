"""What the use cases of live shows need from the outside: shows, and the lots that are theirs."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kernel.money import Money
from svc_auction.application.ports import ListPosition, NewAuction
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import State
from svc_auction.domain.events import AuctionEvent
from svc_auction.domain.show import Show, ShowState
from svc_auction.domain.show_events import ShowEvent


@dataclass(frozen=True, slots=True)
class NewShow:
    """A show to be announced, and the command that asked for it."""

    request_id: str
    body_hash: bytes
    seller_id: str
    seller_name: str
    title: str
    description: str
    image_url: str
    starts_at: datetime
    bidder_limit: Money | None


@dataclass(frozen=True, slots=True)
class WholeShow:
    """A show with its lots in order, and whether its viewer has bookmarked it."""

    show: Show
    lots: Sequence[Auction]
    bookmarked: bool


class ShowChange(Protocol):
    """A show that is locked until the change ends, and those of its lots that were asked for."""

    @property
    def show(self) -> Show:
        """The show, as it stands within the change."""

    @property
    def lots(self) -> Sequence[Auction]:
        """The lots that were locked, in the show's order; limits set in their terms are saved."""

    @property
    def now(self) -> datetime:
        """The database's time, later than all that came before."""

    def record(self, event: ShowEvent) -> None:
        """Have the show's event published when the change commits, and the show saved with it."""

    def record_lot(self, lot: Auction, event: AuctionEvent) -> None:
        """Have a locked lot's event published when the change commits, and the lot saved."""

    async def lot_added_before(self, new: NewAuction) -> Auction | None:
        """Return the lot that the same request added before, as it was added."""

    async def add_lot(self, lot_id: str, new: NewAuction) -> Auction:
        """Add a lot that waits; ``RequestIdReused`` if its request id served something else."""

    async def lot_currencies(self) -> frozenset[str]:
        """Return the currency codes of all lots that the show has had."""


class Shows(Protocol):
    """All shows, each with its lots on one shard; ``ShowNotFound`` where there is none."""

    async def create(self, new: NewShow) -> Show:
        """Announce a show, or return it as the same request announced it before."""

    def change(
        self, show_id: str, seller_id: str, *, lots_in: Collection[State] = ()
    ) -> AbstractAsyncContextManager[ShowChange]:
        """Lock a seller's show, then its lots in the given states; commit at the end.

        Permission is checked before existence: somebody else's show is ``ShowNotFound`` too, and
        nothing of it is locked.
        """

    async def get(self, show_id: str, *, viewer_id: str | None) -> WholeShow:
        """Return a show with its lots as they are committed."""

    async def earlier_lot(self, auction_id: str) -> Auction:
        """Return an auction of any show or shard with all its terms, or ``AuctionNotFound``."""

    async def list_page(
        self,
        *,
        state: ShowState,
        seller_id: str | None,
        bookmarked_by: str | None,
        after: ListPosition | None,
        limit: int,
    ) -> Sequence[Show]:
        """Return up to ``limit`` shows of all shards after a position.

        Announced ones come soonest first, those that are on or over latest first.
        """

    async def bookmark(self, show_id: str, user_id: str, *, remove: bool) -> None:
        """Put a show on a person's list, or take it off."""
