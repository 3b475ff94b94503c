"""Create an auction: a draft that only its seller sees."""

from svc_auction.application.ports import Auctions, NewAuction
from svc_auction.domain.auction import Auction


class CreateAuction:
    """Creates drafts; the same request creates one."""

    def __init__(self, *, auctions: Auctions) -> None:
        self._auctions = auctions

    async def __call__(self, new: NewAuction) -> Auction:
        """Return the draft; ``RequestIdReused`` if the request id was used with another body."""
        return await self._auctions.create(new)
