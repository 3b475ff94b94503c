"""Call an auction off."""

from svc_auction.application.ports import Auctions
from svc_auction.application.seller_access import own_auction
from svc_auction.domain.auction import Auction


class CancelAuction:
    """Calls auctions off, for their sellers and for moderators."""

    def __init__(self, *, auctions: Auctions) -> None:
        self._auctions = auctions

    async def __call__(
        self, *, auction_id: str, caller_id: str, by_moderator: bool, reason: str
    ) -> Auction:
        """Return the cancelled auction."""
        async with self._auctions.change(auction_id) as change:
            auction = change.auction if by_moderator else own_auction(change.auction, caller_id)
            change.record(auction.cancel(now=change.now, reason=reason, by_moderator=by_moderator))
        return auction
