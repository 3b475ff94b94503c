"""Place a bid: commit it in the lane; where its funds run short there, ask the wallet first."""

from dataclasses import replace

from kernel.money import Money
from svc_auction.application.confirmations import Confirmations
from svc_auction.application.ports import BiddingPower, BidLanes, PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.domain.errors import ConfirmLargeBid, InsufficientFunds


class PlaceBid:
    """Places bids and purchases.

    The shard's own bidding power usually suffices, so no other service is asked.
    """

    def __init__(
        self, *, lanes: BidLanes, power: BiddingPower, confirmations: Confirmations
    ) -> None:
        self._lanes = lanes
        self._power = power
        self._confirmations = confirmations

    async def __call__(self, bid: Bid, *, confirmation_token: str = "") -> PlacedBid:
        """Return the committed bid; raises the reason if it is refused."""
        if confirmation_token and self._confirmations.covers(confirmation_token, bid):
            bid = replace(bid, confirmed=True)
        try:
            return await self._place(bid)
        except InsufficientFunds as short:
            refusal = await self._top_up(bid, short.shortfall_minor)
        try:
            return await self._place(bid)
        except InsufficientFunds as still_short:
            raise refusal or still_short from None

    async def _top_up(self, bid: Bid, shortfall_minor: int) -> InsufficientFunds | None:
        """Ask the wallet for more; return its refusal.

        It may refuse because another bid of the same bidder has just brought all there is here, so
        what counts is the lane's second look.
        """
        try:
            await self._power.top_up(
                auction_id=bid.auction_id,
                bidder_id=bid.bidder_id,
                shortfall=Money(bid.currency_code, shortfall_minor),
            )
        except InsufficientFunds as refusal:
            return refusal
        return None

    async def _place(self, bid: Bid) -> PlacedBid:
        try:
            return await self._lanes.place(bid)
        except ConfirmLargeBid as large:
            raise ConfirmLargeBid(
                price_minor=large.price_minor, confirmation_token=self._confirmations.token_for(bid)
            ) from None
