"""The calls of ShowService about the lots of a show; all of them are the seller's."""

import hashlib

from blytz.auction.v1 import show_service_pb2 as messages
from blytz.auction.v1.auction_pb2 import Auction as AuctionMessage
from servicekit.call import Call, Person
from svc_auction.application.add_lot import AddLot, Rerun
from svc_auction.application.open_next_lot import OpenNextLot
from svc_auction.application.pause_lot import PauseLot, ResumeLot
from svc_auction.application.ports import NewAuction
from svc_auction.application.reorder_lots import ReorderLots
from svc_auction.domain.auction import Auction
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.proto_mapping import auction_message
from svc_auction.infrastructure.show_mapping import show_message
from svc_auction.infrastructure.terms_mapping import to_terms


class LotCalls:
    """Queues, orders, opens and pauses the lots of shows."""

    def __init__(
        self,
        *,
        add: AddLot,
        reorder: ReorderLots,
        open_next: OpenNextLot,
        pause: PauseLot,
        resume: ResumeLot,
        aliases: Aliases,
    ) -> None:
        self._add = add
        self._reorder = reorder
        self._open_next = open_next
        self._pause = pause
        self._resume = resume
        self._aliases = aliases

    async def AddLot(self, request: messages.AddLotRequest, call: Call) -> messages.AddLotResponse:
        """Put a lot at the end of the queue of a show of the caller's."""
        show, lot = await self._add(
            show_id=request.show_id.lower(),
            etag=request.etag,
            lot=_to_lot(request, call.require_person()),
        )
        return messages.AddLotResponse(show=show_message(show), lot=self._shown(lot))

    async def ReorderLots(
        self, request: messages.ReorderLotsRequest, call: Call
    ) -> messages.ReorderLotsResponse:
        """Give the waiting lots of a show of the caller's a new order."""
        show = await self._reorder(
            show_id=request.show_id.lower(),
            seller_id=call.require_person().user_id,
            etag=request.etag,
            lot_ids=[lot_id.lower() for lot_id in request.lot_ids],
        )
        return messages.ReorderLotsResponse(show=show_message(show))

    async def OpenNextLot(
        self, request: messages.OpenNextLotRequest, call: Call
    ) -> messages.OpenNextLotResponse:
        """Open the next lot of a show of the caller's."""
        show, lot = await self._open_next(
            show_id=request.show_id.lower(),
            seller_id=call.require_person().user_id,
            etag=request.etag,
            duration=request.duration.ToTimedelta() if request.HasField("duration") else None,
        )
        return messages.OpenNextLotResponse(show=show_message(show), lot=self._shown(lot))

    async def PauseLot(
        self, request: messages.PauseLotRequest, call: Call
    ) -> messages.PauseLotResponse:
        """Stop the clock of the open lot of a show of the caller's."""
        show, lot = await self._pause(
            show_id=request.show_id.lower(), seller_id=call.require_person().user_id
        )
        return messages.PauseLotResponse(show=show_message(show), lot=self._shown(lot))

    async def ResumeLot(
        self, request: messages.ResumeLotRequest, call: Call
    ) -> messages.ResumeLotResponse:
        """Let the clock of the paused lot of a show of the caller's run on."""
        show, lot = await self._resume(
            show_id=request.show_id.lower(), seller_id=call.require_person().user_id
        )
        return messages.ResumeLotResponse(show=show_message(show), lot=self._shown(lot))

    def _shown(self, lot: Auction) -> AuctionMessage:
        return auction_message(lot, self._aliases, viewer_id=lot.terms.seller_id)


def _to_lot(request: messages.AddLotRequest, seller: Person) -> NewAuction | Rerun:
    request_id = request.request_id.lower()
    body_hash = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    if request.WhichOneof("lot") == "rerun_auction_id":
        return Rerun(request_id, body_hash, seller.user_id, request.rerun_auction_id.lower())
    lot = request.new_lot
    reserve = lot.reserve_price if lot.HasField("reserve_price") else None
    return NewAuction(
        request_id=request_id,
        body_hash=body_hash,
        seller_name=seller.name,
        title=lot.title,
        description=lot.description,
        image_url=lot.image_url,
        terms=to_terms(lot.terms, seller_id=seller.user_id, reserve=reserve),
    )
