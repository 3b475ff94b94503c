"""Read auctions and their bids, as anyone may see them, and a bidder's own standing."""

from collections.abc import Sequence
from dataclasses import dataclass

from svc_auction.application.ports import Auctions, ListPosition
from svc_auction.application.seller_access import visible_auction
from svc_auction.domain.auction import Auction, State
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
        leading = auction.book.leader_id == viewer_id
        return auction, OwnStanding(viewer_id, leading, maximum_minor)

    async def list_auctions(
        self,
        *,
        state: State,
        seller_id: str | None,
        viewer_id: str | None,
        after: ListPosition | None,
        limit: int,
    ) -> Sequence[Auction]:
        """Return a page in the state's order; drafts are listed for their own seller only."""
        if state is State.DRAFT and (seller_id is None or seller_id != viewer_id):
            return ()
        return await self._auctions.list_page(
            state=state, seller_id=seller_id, after=after, limit=limit
        )

    async def list_bids(
        self, auction_id: str, *, viewer_id: str | None, before_sequence: int, limit: int
    ) -> tuple[Auction, Sequence[BidPlaced]]:
        """Return the auction and up to ``limit`` of its bids, newest first."""
        auction = visible_auction(await self._auctions.get(auction_id), viewer_id)
        bids = await self._auctions.bids_before(
            auction_id, before_sequence=before_sequence, limit=limit
        )
        return auction, bids
