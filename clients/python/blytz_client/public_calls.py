"""What anyone may call, signed in or not."""

from collections.abc import AsyncIterator
from typing import TypeVar

from google.protobuf.message import Message

from blytz.auction.v1 import auction_service_pb2
from blytz.auction.v1.auction_pb2 import Auction, AuctionState, Bid
from blytz.auction.v1.auction_service_pb2 import (
    GetAuctionRequest,
    GetAuctionResponse,
    ListAuctionsRequest,
    ListAuctionsResponse,
    ListBidsRequest,
    ListBidsResponse,
)
from blytz.common.v1.position_pb2 import Position
from blytz_client.connection import Connection
from blytz_client.feed import AuctionFeed
from blytz_client.policy import MethodPolicy, policies_of

AUCTION = policies_of(auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"])
PATIENCE_S = 10.0
"""How long a call that may be repeated is repeated while the answer is UNAVAILABLE."""

Response = TypeVar("Response", bound=Message)


class PublicCalls:
    """The calls that need no token. Each raises ``BlytzCallError``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_auction(self, auction_id: str) -> GetAuctionResponse:
        """Return an auction as it stands, and one's own standing when signed in."""
        request = GetAuctionRequest(auction_id=auction_id)
        return await self._call(AUCTION["GetAuction"], request, GetAuctionResponse)

    async def list_auctions(
        self,
        *,
        state: AuctionState.ValueType = AuctionState.AUCTION_STATE_UNSPECIFIED,
        seller_id: str = "",
        page_size: int = 200,
    ) -> AsyncIterator[Auction]:
        """Yield public auctions (live ones by default), soonest end first, page by page."""
        request = ListAuctionsRequest(state=state, seller_id=seller_id, page_size=page_size)
        while True:
            page = await self._call(AUCTION["ListAuctions"], request, ListAuctionsResponse)
            for auction in page.auctions:
                yield auction
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def list_bids(self, auction_id: str, *, page_size: int = 200) -> AsyncIterator[Bid]:
        """Yield an auction's accepted bids, newest first, page by page."""
        request = ListBidsRequest(auction_id=auction_id, page_size=page_size)
        while True:
            page = await self._call(AUCTION["ListBids"], request, ListBidsResponse)
            for bid in page.bids:
                yield bid
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def watch_auction(
        self,
        auction_id: str,
        resume_from: Position | None = None,
        *,
        give_up_after_s: float | None = None,
        heartbeats: bool = False,
    ) -> AuctionFeed:
        """Return the auction's feed, which reconnects and resumes by itself.

        ``give_up_after_s`` ends it with the last error when it has been away for so long; by
        default it never gives up. ``heartbeats`` are frames that carry the server's time alone.
        """
        return AuctionFeed(
            connection=self._connection,
            authorize=self._authorization,
            auction_id=auction_id,
            resume_from=resume_from,
            give_up_after_s=give_up_after_s,
            heartbeats=heartbeats,
        )

    async def _authorization(self) -> str | None:
        """Return the access token to send, or None."""
        return None

    async def _call(
        self,
        method: MethodPolicy,
        request: Message,
        response_type: type[Response],
        *,
        patience_s: float = PATIENCE_S,
    ) -> Response:
        return await self._connection.unary(
            method,
            request,
            response_type,
            authorization=await self._authorization(),
            patience_s=patience_s,
        )
