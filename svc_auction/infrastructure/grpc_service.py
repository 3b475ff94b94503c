"""AuctionService on the wire: messages become commands, results become messages."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.common.v1.money_pb2 import Money
from servicekit.call import Call, Person
from servicekit.rate import TokenBucket
from svc_auction.application.cancel_auction import CancelAuction
from svc_auction.application.close_auction import CloseAuction
from svc_auction.application.create_auction import CreateAuction
from svc_auction.application.place_bid import PlaceBid
from svc_auction.application.ports import ListPosition, NewAuction
from svc_auction.application.read_auctions import SEQUENCE_MAX, ReadAuctions, page_size_of
from svc_auction.application.schedule_auction import ScheduleAuction
from svc_auction.application.start_auction import StartAuction
from svc_auction.domain.auction import State
from svc_auction.domain.bidding import Bid
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.bid_stream import BidStream
from svc_auction.infrastructure.page_tokens import (
    decode_position,
    decode_sequence,
    encode_position,
    encode_sequence,
)
from svc_auction.infrastructure.postgres_auctions import list_position
from svc_auction.infrastructure.proto_mapping import (
    auction_message,
    bid_message,
    own_standing_message,
    place_bid_response,
    to_datetime,
    to_terms,
)

_MODERATOR_ROLES = frozenset({"MODERATOR", "ADMIN"})


class AuctionGrpcService:
    """Serves ``blytz.auction.v1.AuctionService``."""

    def __init__(
        self,
        *,
        create: CreateAuction,
        schedule: ScheduleAuction,
        start: StartAuction,
        close: CloseAuction,
        cancel: CancelAuction,
        place_bid: PlaceBid,
        read: ReadAuctions,
        aliases: Aliases,
    ) -> None:
        self._create = create
        self._schedule = schedule
        self._start = start
        self._close = close
        self._cancel = cancel
        self._place_bid = place_bid
        self._read = read
        self._aliases = aliases

    async def CreateAuction(
        self, request: messages.CreateAuctionRequest, call: Call
    ) -> messages.CreateAuctionResponse:
        """Create a draft of the caller's."""
        person = call.require_person()
        reserve = request.reserve_price if request.HasField("reserve_price") else None
        auction = await self._create(
            NewAuction(
                request_id=request.request_id.lower(),
                body_hash=_hash_of(request),
                seller_name=person.name,
                title=request.title,
                description=request.description,
                image_url=request.image_url,
                terms=to_terms(request.terms, seller_id=person.user_id, reserve=reserve),
            )
        )
        return messages.CreateAuctionResponse(auction=auction_message(auction, self._aliases))

    async def ScheduleAuction(
        self, request: messages.ScheduleAuctionRequest, call: Call
    ) -> messages.ScheduleAuctionResponse:
        """Announce a draft of the caller's."""
        auction = await self._schedule(
            auction_id=request.auction_id.lower(),
            seller_id=call.require_person().user_id,
            starts_at=to_datetime(request.starts_at),
            ends_at=to_datetime(request.ends_at),
        )
        return messages.ScheduleAuctionResponse(auction=auction_message(auction, self._aliases))

    async def StartAuction(
        self, request: messages.StartAuctionRequest, call: Call
    ) -> messages.StartAuctionResponse:
        """Open an auction of the caller's."""
        auction = await self._start(
            auction_id=request.auction_id.lower(),
            seller_id=call.require_person().user_id,
            ends_at=to_datetime(request.ends_at) if request.HasField("ends_at") else None,
        )
        return messages.StartAuctionResponse(auction=auction_message(auction, self._aliases))

    async def CloseAuction(
        self, request: messages.CloseAuctionRequest, call: Call
    ) -> messages.CloseAuctionResponse:
        """End an auction of the caller's."""
        auction = await self._close(
            auction_id=request.auction_id.lower(), seller_id=call.require_person().user_id
        )
        return messages.CloseAuctionResponse(auction=auction_message(auction, self._aliases))

    async def CancelAuction(
        self, request: messages.CancelAuctionRequest, call: Call
    ) -> messages.CancelAuctionResponse:
        """Call an auction off."""
        person = call.require_person()
        auction = await self._cancel(
            auction_id=request.auction_id.lower(),
            caller_id=person.user_id,
            by_moderator=not _MODERATOR_ROLES.isdisjoint(person.roles),
            reason=request.reason,
        )
        return messages.CancelAuctionResponse(auction=auction_message(auction, self._aliases))

    async def GetAuction(
        self, request: messages.GetAuctionRequest, call: Call
    ) -> messages.GetAuctionResponse:
        """Return an auction and the caller's own standing."""
        auction, standing = await self._read.get(
            request.auction_id.lower(), viewer_id=_viewer_id(call)
        )
        response = messages.GetAuctionResponse(auction=auction_message(auction, self._aliases))
        if standing is not None:
            own = own_standing_message(standing, auction, self._aliases)
            response.own_standing.CopyFrom(own)
        return response

    async def ListAuctions(
        self, request: messages.ListAuctionsRequest, call: Call
    ) -> messages.ListAuctionsResponse:
        """Return a page of auctions."""
        limit = page_size_of(request.page_size)
        auctions = await self._read.list_auctions(
            state=State(request.state) if request.state else State.LIVE,
            seller_id=request.seller_id.lower() or None,
            viewer_id=_viewer_id(call),
            after=decode_position(request.page_token),
            limit=limit,
        )
        token = ""
        if len(auctions) == limit:
            token = encode_position(ListPosition(*list_position(auctions[-1])))
        return messages.ListAuctionsResponse(
            auctions=[auction_message(a, self._aliases) for a in auctions], next_page_token=token
        )

    async def PlaceBid(
        self, request: messages.PlaceBidRequest, call: Call
    ) -> messages.PlaceBidResponse:
        """Place a bid of the caller's."""
        placed = await self._place_bid(_to_bid(request, call.require_person()))
        return place_bid_response(placed, self._aliases)

    async def PlaceBids(
        self, requests: AsyncIterator[messages.PlaceBidsRequest], call: Call
    ) -> AsyncIterator[messages.PlaceBidsResponse]:
        """Place the bids of a stream as they come; answer each as it is decided."""
        person = call.require_person()

        async def place(request: messages.PlaceBidRequest) -> messages.PlaceBidResponse:
            placed = await self._place_bid(_to_bid(request, person))
            return place_bid_response(placed, self._aliases)

        stream = BidStream(place=place, person=person, bucket=TokenBucket.of(call.method))
        async with aclosing(stream.verdicts(requests)) as verdicts:
            async for verdict in verdicts:
                yield verdict

    async def ListBids(
        self, request: messages.ListBidsRequest, call: Call
    ) -> messages.ListBidsResponse:
        """Return a page of an auction's bids."""
        limit = page_size_of(request.page_size)
        auction, bids = await self._read.list_bids(
            request.auction_id.lower(),
            viewer_id=_viewer_id(call),
            before_sequence=decode_sequence(request.page_token) or SEQUENCE_MAX,
            limit=limit,
        )
        auction_id, currency_code = auction.listing.auction_id, auction.terms.currency_code
        return messages.ListBidsResponse(
            bids=[bid_message(auction_id, currency_code, bid, self._aliases) for bid in bids],
            next_page_token=encode_sequence(bids[-1].sequence) if len(bids) == limit else "",
        )


def _to_bid(request: messages.PlaceBidRequest, person: Person) -> Bid:
    maximum: Money = request.maximum
    return Bid(
        request_id=request.request_id.lower(),
        auction_id=request.auction_id.lower(),
        bidder_id=person.user_id,
        currency_code=maximum.currency_code,
        maximum_minor=maximum.amount_minor,
    )


def _viewer_id(call: Call) -> str | None:
    return call.person.user_id if call.person is not None else None


def _hash_of(request: messages.CreateAuctionRequest) -> bytes:
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
