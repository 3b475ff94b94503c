"""The seller's calls of AuctionService: messages become commands, results become messages."""

import hashlib

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1.auction_pb2 import Auction as AuctionMessage
from blytz.common.v1.money_pb2 import Money
from servicekit.call import Call
from svc_auction.application.cancel_auction import CancelAuction
from svc_auction.application.close_auction import CloseAuction
from svc_auction.application.create_auction import CreateAuction
from svc_auction.application.ports import NewAuction
from svc_auction.application.schedule_auction import ScheduleAuction
from svc_auction.application.start_auction import StartAuction
from svc_auction.application.update_auction import UpdateAuction
from svc_auction.domain.auction import Auction, Update
from svc_auction.domain.errors import TermsInvalid
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.proto_mapping import auction_message, to_datetime
from svc_auction.infrastructure.terms_mapping import to_terms

_MODERATOR_ROLES = frozenset({"MODERATOR", "ADMIN"})


class SellingCalls:
    """Creates, changes, starts and ends auctions for their sellers."""

    def __init__(
        self,
        *,
        create: CreateAuction,
        update: UpdateAuction,
        schedule: ScheduleAuction,
        start: StartAuction,
        close: CloseAuction,
        cancel: CancelAuction,
        aliases: Aliases,
    ) -> None:
        self._create = create
        self._update = update
        self._schedule = schedule
        self._start = start
        self._close = close
        self._cancel = cancel
        self._aliases = aliases

    async def CreateAuction(
        self, request: messages.CreateAuctionRequest, call: Call
    ) -> messages.CreateAuctionResponse:
        """Create a draft of the caller's."""
        person = call.require_person()
        reserve = _reserve_of(request)
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
        return messages.CreateAuctionResponse(auction=self._shown(auction))

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
        return messages.ScheduleAuctionResponse(auction=self._shown(auction))

    async def StartAuction(
        self, request: messages.StartAuctionRequest, call: Call
    ) -> messages.StartAuctionResponse:
        """Open an auction of the caller's."""
        auction = await self._start(
            auction_id=request.auction_id.lower(),
            seller_id=call.require_person().user_id,
            ends_at=to_datetime(request.ends_at) if request.HasField("ends_at") else None,
        )
        return messages.StartAuctionResponse(auction=self._shown(auction))

    async def CloseAuction(
        self, request: messages.CloseAuctionRequest, call: Call
    ) -> messages.CloseAuctionResponse:
        """End an auction of the caller's."""
        auction = await self._close(
            auction_id=request.auction_id.lower(), seller_id=call.require_person().user_id
        )
        return messages.CloseAuctionResponse(auction=self._shown(auction))

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
        return messages.CancelAuctionResponse(auction=self._shown(auction))

    async def UpdateAuction(
        self, request: messages.UpdateAuctionRequest, call: Call
    ) -> messages.UpdateAuctionResponse:
        """Change an auction of the caller's."""
        seller_id = call.require_person().user_id
        auction = await self._update(
            auction_id=request.auction_id.lower(),
            seller_id=seller_id,
            etag=request.etag,
            update=_to_update(request, seller_id),
        )
        return messages.UpdateAuctionResponse(auction=self._shown(auction))

    def _shown(self, auction: Auction) -> AuctionMessage:
        return auction_message(auction, self._aliases, viewer_id=auction.terms.seller_id)


def _to_update(request: messages.UpdateAuctionRequest, seller_id: str) -> Update:
    reserve = _reserve_of(request)
    if not request.HasField("terms"):
        if reserve is not None:
            raise TermsInvalid(problem="the reserve changes together with the terms")
        terms = None
    else:
        terms = to_terms(request.terms, seller_id=seller_id, reserve=reserve)
    return Update(
        title=request.title if request.HasField("title") else None,
        description=request.description if request.HasField("description") else None,
        image_url=request.image_url if request.HasField("image_url") else None,
        terms=terms,
    )


def _reserve_of(
    request: messages.CreateAuctionRequest | messages.UpdateAuctionRequest,
) -> Money | None:
    return request.reserve_price if request.HasField("reserve_price") else None


def _hash_of(request: messages.CreateAuctionRequest) -> bytes:
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
