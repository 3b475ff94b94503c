"""Schedule an auction: make a draft public, to start and end by itself."""

from datetime import datetime

from svc_auction.application.ports import Auctions
from svc_auction.application.seller_access import own_auction
from svc_auction.domain.auction import Auction


class ScheduleAuction:
    """Announces a seller's draft."""

    def __init__(self, *, auctions: Auctions) -> None:
        self._auctions = auctions

    async def __call__(
        self, *, auction_id: str, seller_id: str, starts_at: datetime, ends_at: datetime
    ) -> Auction:
        """Return the scheduled auction."""
        async with self._auctions.change(auction_id) as change:
            auction = own_auction(change.auction, seller_id)
            change.record(auction.schedule(now=change.now, starts_at=starts_at, ends_at=ends_at))
        return auction
