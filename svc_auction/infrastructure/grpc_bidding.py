"""The bidder's calls of AuctionService: messages become bids, placed bids become messages."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from blytz.auction.v1 import auction_service_pb2 as messages
from servicekit.call import Call, Person
from servicekit.rate import TokenBucket
from svc_auction.application.place_bid import PlaceBid
from svc_auction.domain.bidding import Bid
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.bid_stream import BidStream
from svc_auction.infrastructure.proto_mapping import buy_now_response, place_bid_response


class BiddingCalls:
    """Places bids and purchases for whoever calls."""

    def __init__(self, *, place_bid: PlaceBid, aliases: Aliases) -> None:
        self._place_bid = place_bid
        self._aliases = aliases

    async def PlaceBid(
        self, request: messages.PlaceBidRequest, call: Call
    ) -> messages.PlaceBidResponse:
        """Place a bid of the caller's."""
        return await self._place(request, call.require_person())

    async def PlaceBids(
        self, requests: AsyncIterator[messages.PlaceBidsRequest], call: Call
    ) -> AsyncIterator[messages.PlaceBidsResponse]:
        """Place the bids of a stream as they come; answer each as it is decided."""
        person = call.require_person()

        async def place(request: messages.PlaceBidRequest) -> messages.PlaceBidResponse:
            return await self._place(request, person)

        stream = BidStream(place=place, person=person, bucket=TokenBucket.of(call.method))
        async with aclosing(stream.verdicts(requests)) as verdicts:
            async for verdict in verdicts:
                yield verdict

    async def BuyNow(self, request: messages.BuyNowRequest, call: Call) -> messages.BuyNowResponse:
        """End an auction at its buy-now price for the caller."""
        purchase = Bid(
            request_id=request.request_id.lower(),
            auction_id=request.auction_id.lower(),
            bidder_id=call.require_person().user_id,
            currency_code=request.price.currency_code,
            maximum_minor=request.price.amount_minor,
            buys=True,
        )
        return buy_now_response(await self._place_bid(purchase), self._aliases)

    async def _place(
        self, request: messages.PlaceBidRequest, person: Person
    ) -> messages.PlaceBidResponse:
        bid = Bid(
            request_id=request.request_id.lower(),
            auction_id=request.auction_id.lower(),
            bidder_id=person.user_id,
            currency_code=request.maximum.currency_code,
            maximum_minor=request.maximum.amount_minor,
        )
        placed = await self._place_bid(bid, confirmation_token=request.confirmation_token)
        return place_bid_response(placed, self._aliases)
