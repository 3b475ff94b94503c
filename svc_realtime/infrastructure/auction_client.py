"""Snapshots from svc_auction, which owns the auctions."""

from typing import TYPE_CHECKING

import grpc

from blytz.auction.v1.auction_pb2 import Auction, Bid
from blytz.auction.v1.auction_service_pb2 import GetAuctionRequest, ListBidsRequest
from blytz.realtime.v1.realtime_service_pb2 import AuctionSnapshot
from svc_realtime.domain.change import Snapshot
from svc_realtime.domain.errors import AuctionNotFound, FeedUnavailable
from svc_realtime.domain.position import Position
from svc_realtime.infrastructure.frame_codec import RECENT_BIDS_MAX, serialised_snapshot

if TYPE_CHECKING:
    from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceAsyncStub

BIDS_PAGE_SIZE = 200
"""More than a snapshot holds: bids that come between the two readings push the others down."""
CONSISTENT_ATTEMPTS = 5


class AuctionClient:
    """The `AuctionSource` behind the contract of svc_auction."""

    def __init__(self, stub: "AuctionServiceAsyncStub") -> None:
        self._stub = stub

    async def load(self, auction_id: str) -> Snapshot:
        """Return where a public auction stands, with its latest bids.

        ``AuctionNotFound`` if there is none, ``FeedUnavailable`` if it cannot be told now.
        """
        try:
            for _attempt in range(CONSISTENT_ATTEMPTS):
                response = await self._stub.GetAuction(GetAuctionRequest(auction_id=auction_id))
                auction = response.auction
                recent = await self._recent_bids(auction)
                if recent is not None:
                    position = Position(auction.position.epoch, auction.position.sequence)
                    picture = AuctionSnapshot(auction=auction, recent_bids=recent)
                    return serialised_snapshot(picture, position)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise AuctionNotFound(auction_id=auction_id) from error
            raise FeedUnavailable(dependency="auction", retry_after_s=1.0) from error
        raise FeedUnavailable(dependency="a steady reading of the auction", retry_after_s=0.2)

    async def _recent_bids(self, auction: Auction) -> list[Bid] | None:
        """Return the latest bids as of the auction's position, newest first.

        None if the page does not reach that position, or if more bids came in between than it
        holds. A bid may be marked as retracted already by an event that follows the position.
        """
        if not auction.bid_log_head:
            return []
        request = ListBidsRequest(auction_id=auction.auction_id, page_size=BIDS_PAGE_SIZE)
        response = await self._stub.ListBids(request)
        wanted, listed = auction.position, response.position
        if listed.epoch != wanted.epoch or listed.sequence < wanted.sequence:
            return None
        recent = [bid for bid in response.bids if bid.sequence <= wanted.sequence]
        is_whole = len(recent) >= RECENT_BIDS_MAX or not response.next_page_token
        return recent[:RECENT_BIDS_MAX] if is_whole else None
