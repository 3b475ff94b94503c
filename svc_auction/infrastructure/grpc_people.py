"""The calls of AuctionService by which sellers say who may bid with them."""

from blytz.auction.v1 import auction_service_pb2 as messages
from servicekit.call import Call
from servicekit.errors import FieldViolation, InvalidRequest
from svc_auction.application.block_bidder import BlockBidder


class PeopleCalls:
    """Blocks bidders, and lets them in again, for whoever sells."""

    def __init__(self, *, block_bidder: BlockBidder) -> None:
        self._block_bidder = block_bidder

    async def BlockBidder(
        self, request: messages.BlockBidderRequest, call: Call
    ) -> messages.BlockBidderResponse:
        """Keep a person from bidding on the caller's auctions."""
        seller_id, bidder_id = call.require_person().user_id, request.bidder_id.lower()
        if bidder_id == seller_id:
            raise InvalidRequest(
                [FieldViolation("bidder_id", "not_oneself", "nobody can block themselves")]
            )
        await self._block_bidder(seller_id=seller_id, bidder_id=bidder_id, blocked=True)
        return messages.BlockBidderResponse()

    async def UnblockBidder(
        self, request: messages.UnblockBidderRequest, call: Call
    ) -> messages.UnblockBidderResponse:
        """Let a person bid on the caller's auctions again."""
        await self._block_bidder(
            seller_id=call.require_person().user_id,
            bidder_id=request.bidder_id.lower(),
            blocked=False,
        )
        return messages.UnblockBidderResponse()
