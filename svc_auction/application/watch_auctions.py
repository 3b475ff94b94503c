"""Watch auctions: put them on one's list, take them off, list them."""

from collections.abc import Sequence
from dataclasses import dataclass

from svc_auction.application.ports import Auctions, ListPosition, Watches
from svc_auction.application.seller_access import visible_auction
from svc_auction.domain.auction import Auction


@dataclass(frozen=True, slots=True)
class WatchPage:
    """Part of a watch list, latest added first, and where the next part begins, if there is one."""

    auctions: Sequence[Auction]
    next_after: ListPosition | None


class WatchAuctions:
    """A person's own watch list; nobody else ever sees it."""

    def __init__(self, *, auctions: Auctions, watches: Watches) -> None:
        self._auctions = auctions
        self._watches = watches

    async def add(self, user_id: str, auction_id: str) -> None:
        """Watch an auction; ``AuctionNotFound`` for what the person may not see."""
        visible_auction(await self._auctions.get(auction_id), user_id)
        await self._watches.add(user_id, auction_id)

    async def remove(self, user_id: str, auction_id: str) -> None:
        """Watch an auction no longer."""
        await self._watches.remove(user_id, auction_id)

    async def list_page(self, user_id: str, *, after: ListPosition | None, limit: int) -> WatchPage:
        """Return up to ``limit`` auctions after a position."""
        found = await self._watches.page(user_id, after=after, limit=limit + 1)
        shown = found[:limit]
        next_after = None
        if len(found) > limit:
            last = shown[-1]
            next_after = ListPosition(last.added_at, last.auction.listing.auction_id)
        return WatchPage([watched.auction for watched in shown], next_after)
