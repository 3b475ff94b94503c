"""The calls of AuctionService that only read."""

from blytz.auction.v1 import auction_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from servicekit.call import Call
from svc_auction.application.read_auctions import SEQUENCE_MAX, ReadAuctions, page_size_of
from svc_auction.domain.book import State
from svc_auction.domain.errors import AuctionNotFound
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.page_tokens import decode_position, decode_sequence
from svc_auction.infrastructure.proto_mapping import auction_message, own_standing_message
from svc_auction.infrastructure.public_reads import ListQuery, PublicReads
from svc_auction.infrastructure.reading_mapping import auctions_response, bids_response

_EDGE = "edge"


class ReadingCalls:
    """Shows auctions and bids, to each what they may see.

    Whoever comes through the gateway without a token gets what is kept for everyone. Sellers see
    more of their own auctions and bidders of their own bids: those are read for them alone, as they
    are committed. Services of ours build on what they read, so nothing is kept for them either.
    """

    def __init__(self, *, read: ReadAuctions, public: PublicReads, aliases: Aliases) -> None:
        self._read = read
        self._public = public
        self._aliases = aliases

    async def GetAuction(
        self, request: messages.GetAuctionRequest, call: Call
    ) -> messages.GetAuctionResponse:
        """Return an auction and the caller's own standing."""
        auction_id, viewer_id = request.auction_id.lower(), _viewer_id(call)
        if call.caller == _EDGE:
            public = await self._public_auction(auction_id, viewer_id)
            if public is not None and not await self._has_part(public, viewer_id):
                return messages.GetAuctionResponse(auction=public)
        auction, standing = await self._read.get(auction_id, viewer_id=viewer_id)
        response = messages.GetAuctionResponse(
            auction=auction_message(auction, self._aliases, viewer_id=viewer_id)
        )
        if standing is not None:
            own = own_standing_message(standing, auction, self._aliases)
            response.own_standing.CopyFrom(own)
        return response

    async def ListAuctions(
        self, request: messages.ListAuctionsRequest, call: Call
    ) -> messages.ListAuctionsResponse:
        """Return a page of auctions; all shards are asked, so one that is away fails the call."""
        viewer_id = _viewer_id(call)
        query = ListQuery(
            state=State(request.state) if request.state else State.LIVE,
            seller_id=request.seller_id.lower() or None,
            after=decode_position(request.page_token),
            limit=page_size_of(request.page_size),
        )
        if viewer_id is None or query.seller_id != viewer_id:
            page = await self._public.auctions(query)
            if all(auction.seller_id != viewer_id for auction in page.auctions):
                return page
        auctions = await self._read.list_auctions(
            state=query.state,
            seller_id=query.seller_id,
            viewer_id=viewer_id,
            after=query.after,
            limit=query.limit,
        )
        return auctions_response(auctions, self._aliases, limit=query.limit, viewer_id=viewer_id)

    async def ListBids(
        self, request: messages.ListBidsRequest, call: Call
    ) -> messages.ListBidsResponse:
        """Return a page of an auction's bids, and the position up to which none is missing."""
        auction_id, viewer_id = request.auction_id.lower(), _viewer_id(call)
        limit = page_size_of(request.page_size)
        before_sequence = decode_sequence(request.page_token) or SEQUENCE_MAX
        at_least = None
        if call.caller == _EDGE:
            public = await self._public_auction(auction_id, viewer_id)
            if public is not None:
                at_least = public.position.epoch, public.position.sequence
                page = await self._public.bids(public, before_sequence=before_sequence, limit=limit)
                if not self._knows_more(public, page, viewer_id):
                    return page
        auction, bids = await self._read.list_bids(
            auction_id,
            viewer_id=viewer_id,
            before_sequence=before_sequence,
            limit=limit,
            at_least=at_least,
        )
        return bids_response(auction, bids, self._aliases, limit=limit, viewer_id=viewer_id)

    async def _public_auction(
        self, auction_id: str, viewer_id: str | None
    ) -> auction_pb2.Auction | None:
        """Return what everyone may see of an auction.

        None if nobody may but its seller, and the viewer could be that seller.
        """
        try:
            return await self._public.auction(auction_id)
        except AuctionNotFound:
            if viewer_id is None:
                raise
            return None

    async def _has_part(self, auction: auction_pb2.Auction, viewer_id: str | None) -> bool:
        """Say whether the viewer sells the auction or has bid on it, as it is committed."""
        if viewer_id is None:
            return False
        return auction.seller_id == viewer_id or await self._read.has_bid(
            auction.auction_id, viewer_id
        )

    def _knows_more(
        self,
        auction: auction_pb2.Auction,
        page: messages.ListBidsResponse,
        viewer_id: str | None,
    ) -> bool:
        """Say whether the viewer may see more of these bids than anyone may.

        Two bidders may share an alias by chance: then a page is read for nothing.
        """
        if viewer_id is None:
            return False
        alias = self._aliases.of(auction.auction_id, viewer_id)
        return auction.seller_id == viewer_id or any(bid.bidder_alias == alias for bid in page.bids)


def _viewer_id(call: Call) -> str | None:
    return call.person.user_id if call.person is not None else None
