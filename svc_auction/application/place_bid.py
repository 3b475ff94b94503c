"""Place a bid: commit it in the lane; where its funds run short there, ask the wallet first."""

from kernel.money import Money
from svc_auction.application.ports import BiddingPower, BidLanes, PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.domain.errors import InsufficientFunds


class PlaceBid:
    """Places bids; the shard's own bidding power usually suffices, so no other service is asked."""

    def __init__(self, *, lanes: BidLanes, power: BiddingPower) -> None:
        self._lanes = lanes
        self._power = power

    async def __call__(self, bid: Bid) -> PlacedBid:
        """Return the committed bid; raises the reason if it is refused."""
        try:
            return await self._lanes.place(bid)
        except InsufficientFunds as short:
            await self._power.top_up(
                auction_id=bid.auction_id,
                bidder_id=bid.bidder_id,
                shortfall=Money(bid.currency_code, short.shortfall_minor),
            )
        return await self._lanes.place(bid)
