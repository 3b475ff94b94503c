"""Retractions as a bidder at the gateway meets them."""

import grpc

from blytz.auction.v1 import auction_service_pb2 as messages
from fakes.auction_service import AuctionClients, bid_request
from fakes.mesh import refusal_of
from kernel.ids import new_id


async def test_bids_are_taken_back_over_the_wire(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    ada_id = new_id()
    ada = clients.person(user_id=ada_id)
    placed = await clients.edge.PlaceBid(bid_request(auction_id, 10_00), metadata=ada)
    request = messages.RetractBidRequest(
        request_id=new_id(),
        auction_id=auction_id,
        bid_id=placed.bid.bid_id,
        reason=messages.RETRACTION_REASON_DESCRIPTION_CHANGED,
    )
    refused = await refusal_of(clients.edge.RetractBid, request, ada)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "RETRACTION_NOT_ALLOWED",
    )
    assert "description has not changed" in refused.message
    request.reason = messages.RETRACTION_REASON_TYPING_ERROR
    refused = await refusal_of(clients.edge.RetractBid, request, clients.person())
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "BID_NOT_FOUND")
    answer = await clients.edge.RetractBid(request, metadata=ada)
    assert list(answer.retracted_bid_ids) == [placed.bid.bid_id]
    assert (answer.position.sequence, answer.price.amount_minor) == (4, 1)
    request.request_id, request.bid_id = request.request_id.upper(), request.bid_id.upper()
    again = await clients.edge.RetractBid(request, metadata=ada)
    assert again.SerializeToString() == answer.SerializeToString()
    request.request_id = new_id()
    request.reason = messages.RetractionReason.ValueType(100)
    refused = await refusal_of(clients.edge.RetractBid, request, ada)
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
