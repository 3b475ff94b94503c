"""Start an auction now, at its seller's word."""

from datetime import datetime

from svc_auction.application.ports import Auctions
from svc_auction.application.seller_access import own_auction
from svc_auction.domain.auction import Auction


class StartAuction:
    """Opens a seller's auction for bids."""

    def __init__(self, *, auctions: Auctions) -> None:
        self._auctions = auctions

    async def __call__(
        self, *, auction_id: str, seller_id: str, ends_at: datetime | None
    ) -> Auction:
        """Return the live auction; without ``ends_at`` the scheduled end counts."""
        async with self._auctions.change(auction_id) as change:
            auction = own_auction(change.auction, seller_id)
            change.record(auction.start(now=change.now, ends_at=ends_at))
        return auction
