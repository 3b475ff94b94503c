"""The call of AuctionService that takes bids back."""

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.common.v1.money_pb2 import Money
from blytz.common.v1.position_pb2 import Position
from servicekit.call import Call
from svc_auction.application.ports import Retraction
from svc_auction.application.retract_bid import RetractBid
from svc_auction.domain.retraction import Reason, Wish


class RetractingCalls:
    """Takes bids back for whoever calls."""

    def __init__(self, *, retract_bid: RetractBid) -> None:
        self._retract_bid = retract_bid

    async def RetractBid(
        self, request: messages.RetractBidRequest, call: Call
    ) -> messages.RetractBidResponse:
        """Take a bid of the caller's back, and the others that go with it."""
        wish = Wish(
            request_id=request.request_id.lower(),
            auction_id=request.auction_id.lower(),
            bidder_id=call.require_person().user_id,
            bid_id=request.bid_id.lower(),
            reason=Reason(request.reason),
        )
        return retract_bid_response(await self._retract_bid(wish))


def retract_bid_response(retraction: Retraction) -> messages.RetractBidResponse:
    """Return the answer to a retraction; the same for every replay."""
    event, terms = retraction.event, retraction.terms
    return messages.RetractBidResponse(
        retracted_bid_ids=event.bid_ids,
        position=Position(epoch=retraction.epoch, sequence=event.sequence),
        price=Money(
            currency_code=terms.currency_code,
            amount_minor=terms.format.shown_price_minor(terms, event.price_minor),
        ),
    )
