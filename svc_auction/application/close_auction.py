"""Close an auction now, at its seller's word."""

from svc_auction.application.ports import Auctions
from svc_auction.application.seller_access import own_auction
from svc_auction.domain.auction import Auction


class CloseAuction:
    """Ends a seller's auction as if its time were over."""

    def __init__(self, *, auctions: Auctions) -> None:
        self._auctions = auctions

    async def __call__(self, *, auction_id: str, seller_id: str) -> Auction:
        """Return the ended auction."""
        async with self._auctions.change(auction_id) as change:
            auction = own_auction(change.auction, seller_id)
            change.record(auction.close(now=change.now))
        return auction
