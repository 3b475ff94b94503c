"""Update an auction: anything before the first bid, the description afterwards."""

from svc_auction.application.ports import Auctions
from svc_auction.application.seller_access import own_auction
from svc_auction.domain.auction import Auction, Update


class UpdateAuction:
    """Changes a seller's auction."""

    def __init__(self, *, auctions: Auctions) -> None:
        self._auctions = auctions

    async def __call__(
        self, *, auction_id: str, seller_id: str, etag: str, update: Update
    ) -> Auction:
        """Return the changed auction; ``EtagMismatch`` if it is not the one that was read."""
        async with self._auctions.change(auction_id) as change:
            auction = own_auction(change.auction, seller_id)
            change.record(auction.update(now=change.now, etag=etag, update=update))
        return auction
