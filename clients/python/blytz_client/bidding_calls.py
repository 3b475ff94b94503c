"""What a signed-in person does in an auction: bid, buy, take back, watch, and keep a receipt."""

import uuid
from collections.abc import AsyncIterator

from blytz.auction.v1.auction_pb2 import Auction
from blytz.auction.v1.auction_service_pb2 import (
    BuyNowRequest,
    BuyNowResponse,
    GetBidReceiptRequest,
    GetBidReceiptResponse,
    ListWatchlistRequest,
    ListWatchlistResponse,
    PlaceBidRequest,
    PlaceBidResponse,
    RetractBidRequest,
    RetractBidResponse,
    RetractionReason,
    WatchlistAddRequest,
    WatchlistAddResponse,
    WatchlistRemoveRequest,
    WatchlistRemoveResponse,
)
from blytz.common.v1.money_pb2 import Money
from blytz_client.public_calls import AUCTION, PATIENCE_S, PublicCalls


class BiddingCalls(PublicCalls):
    """The calls of a bidder. Each raises ``BlytzCallError``."""

    async def place_bid(
        self,
        auction_id: str,
        *,
        maximum_minor: int,
        currency_code: str,
        request_id: str = "",
        confirmation_token: str = "",
        patience_s: float = PATIENCE_S,
    ) -> PlaceBidResponse:
        """Place a maximum bid, in minor units.

        While the answer is UNAVAILABLE the bid is sent again with the same ``request_id`` for up to
        ``patience_s`` seconds; it counts once, whatever was lost on the way. A very large one is
        refused with ``CONFIRM_LARGE_BID``; it counts when it is sent again with the
        ``confirmation_token`` of that error's metadata.
        """
        request = PlaceBidRequest(
            request_id=request_id or str(uuid.uuid4()),
            auction_id=auction_id,
            maximum=Money(currency_code=currency_code, amount_minor=maximum_minor),
            confirmation_token=confirmation_token,
        )
        return await self._call(
            AUCTION["PlaceBid"], request, PlaceBidResponse, patience_s=patience_s
        )

    async def buy_now(
        self, auction_id: str, *, price_minor: int, currency_code: str, request_id: str = ""
    ) -> BuyNowResponse:
        """End an auction at its buy-now price; at another price nothing is bought."""
        request = BuyNowRequest(
            request_id=request_id or str(uuid.uuid4()),
            auction_id=auction_id,
            price=Money(currency_code=currency_code, amount_minor=price_minor),
        )
        return await self._call(AUCTION["BuyNow"], request, BuyNowResponse)

    async def retract_bid(
        self,
        auction_id: str,
        bid_id: str,
        *,
        reason: RetractionReason.ValueType = RetractionReason.RETRACTION_REASON_TYPING_ERROR,
        request_id: str = "",
    ) -> RetractBidResponse:
        """Take a bid back; with 12 hours or more to go, all of one's bids in the auction."""
        request = RetractBidRequest(
            request_id=request_id or str(uuid.uuid4()),
            auction_id=auction_id,
            bid_id=bid_id,
            reason=reason,
        )
        return await self._call(AUCTION["RetractBid"], request, RetractBidResponse)

    async def get_bid_receipt(self, auction_id: str, bid_id: str) -> str:
        """Return the signed receipt of one's bid, a JSON Web Signature in compact form."""
        request = GetBidReceiptRequest(auction_id=auction_id, bid_id=bid_id)
        return (await self._call(AUCTION["GetBidReceipt"], request, GetBidReceiptResponse)).receipt

    async def watchlist_add(self, auction_id: str) -> None:
        """Put an auction on one's watch list."""
        request = WatchlistAddRequest(auction_id=auction_id)
        await self._call(AUCTION["WatchlistAdd"], request, WatchlistAddResponse)

    async def watchlist_remove(self, auction_id: str) -> None:
        """Take an auction off one's watch list."""
        request = WatchlistRemoveRequest(auction_id=auction_id)
        await self._call(AUCTION["WatchlistRemove"], request, WatchlistRemoveResponse)

    async def list_watchlist(self, *, page_size: int = 200) -> AsyncIterator[Auction]:
        """Yield the auctions that one watches, latest added first, page by page."""
        request = ListWatchlistRequest(page_size=page_size)
        while True:
            page = await self._call(AUCTION["ListWatchlist"], request, ListWatchlistResponse)
            for auction in page.auctions:
                yield auction
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
