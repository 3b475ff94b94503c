"""Read auctions and their bids, as anyone may see them, and a bidder's own standing."""

from collections.abc import Sequence
from dataclasses import dataclass

from svc_auction.application.ports import Auctions, ListPosition, Position
from svc_auction.application.seller_access import visible_auction
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import State
from svc_auction.domain.events import BidPlaced

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 200
SEQUENCE_MAX = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class OwnStanding:
    """What only a bidder themselves may know: whether they lead, and their highest maximum."""

    bidder_id: str
    leading: bool
    maximum_minor: int


def page_size_of(asked: int) -> int:
    """Return the page size for what was asked; none and too many are coerced."""
    return min(asked or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)


class ReadAuctions:
    """The read side; nothing here locks or writes."""

    def __init__(self, *, auctions: Auctions) -> None:
        self._auctions = auctions

    async def get(
        self, auction_id: str, *, viewer_id: str | None
    ) -> tuple[Auction, OwnStanding | None]:
        """Return an auction and the viewer's own standing; drafts are their sellers' only."""
        auction = visible_auction(await self._auctions.get(auction_id), viewer_id)
        if viewer_id is None or auction.book.bid_count == 0:
            return auction, None
        maximum_minor = await self._auctions.own_maximum_minor(auction_id, viewer_id)
        if maximum_minor is None:
            return auction, None
        return auction, _standing(auction, viewer_id, maximum_minor)

    async def get_public(self, auction_id: str, *, at_least: Position | None) -> Auction:
        """Return an auction that everyone may see, as it stood at a position or later.

        Without a position, as it is committed.
        """
        return visible_auction(await self._auctions.get(auction_id, at_least=at_least), None)

    async def has_bid(self, auction_id: str, viewer_id: str) -> bool:
        """Say whether the viewer has a standing in an auction."""
        return await self._auctions.own_maximum_minor(auction_id, viewer_id) is not None

    async def list_auctions(
        self,
        *,
        state: State,
        seller_id: str | None,
        viewer_id: str | None,
        after: ListPosition | None,
        limit: int,
        may_lag: bool = False,
    ) -> Sequence[Auction]:
        """Return a page in the state's order; drafts are listed for their own seller only."""
        if state is State.DRAFT and (seller_id is None or seller_id != viewer_id):
            return ()
        return await self._auctions.list_page(
            state=state, seller_id=seller_id, after=after, limit=limit, may_lag=may_lag
        )

    async def list_bids(
        self,
        auction_id: str,
        *,
        viewer_id: str | None,
        before_sequence: int,
        limit: int,
        at_least: Position | None = None,
    ) -> tuple[Auction, Sequence[BidPlaced]]:
        """Return the auction and up to ``limit`` of its bids, newest first, at one moment.

        It is a moment when the auction stood at a position or later, or, without one, now.
        """
        auction, bids = await self._auctions.bids_before(
            auction_id, before_sequence=before_sequence, limit=limit, at_least=at_least
        )
        return visible_auction(auction, viewer_id), bids


def _standing(auction: Auction, viewer_id: str, maximum_minor: int) -> OwnStanding:
    """Return what the viewer may know; while a sealed auction runs, not whether they lead."""
    hidden = auction.terms.format.sealed and auction.book.is_open
    leading = auction.book.leader_id == viewer_id and not hidden
    return OwnStanding(viewer_id, leading, maximum_minor)
