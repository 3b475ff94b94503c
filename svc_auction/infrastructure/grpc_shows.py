"""The calls of ShowService about shows as a whole."""

import hashlib

from blytz.auction.v1 import show_service_pb2 as messages
from blytz.auction.v1.auction_pb2 import Auction as AuctionMessage
from blytz.common.v1.money_pb2 import Money as MoneyMessage
from kernel.money import Money
from servicekit.call import Call
from svc_auction.application.bookmark_show import BookmarkShow
from svc_auction.application.create_show import CreateShow
from svc_auction.application.end_show import EndShow
from svc_auction.application.ports import ListPosition
from svc_auction.application.read_auctions import page_size_of
from svc_auction.application.read_shows import ReadShows
from svc_auction.application.show_ports import NewShow
from svc_auction.application.start_show import StartShow
from svc_auction.application.update_show import UpdateShow
from svc_auction.domain.auction import Auction
from svc_auction.domain.show import ShowState, ShowUpdate
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.page_tokens import decode_position, encode_position
from svc_auction.infrastructure.postgres_shows import list_position
from svc_auction.infrastructure.proto_mapping import auction_message, to_datetime
from svc_auction.infrastructure.show_mapping import show_message


class ShowCalls:
    """Announces, changes, starts and ends shows for their sellers, and shows them to everyone."""

    def __init__(
        self,
        *,
        create: CreateShow,
        update: UpdateShow,
        start: StartShow,
        end: EndShow,
        read: ReadShows,
        bookmark: BookmarkShow,
        aliases: Aliases,
    ) -> None:
        self._create = create
        self._update = update
        self._start = start
        self._end = end
        self._read = read
        self._bookmark = bookmark
        self._aliases = aliases

    async def CreateShow(
        self, request: messages.CreateShowRequest, call: Call
    ) -> messages.CreateShowResponse:
        """Announce a show of the caller's."""
        person = call.require_person()
        body = request.SerializeToString(deterministic=True)
        show = await self._create(
            NewShow(
                request_id=request.request_id.lower(),
                body_hash=hashlib.sha256(body).digest(),
                seller_id=person.user_id,
                seller_name=person.name,
                title=request.title,
                description=request.description,
                image_url=request.image_url,
                starts_at=to_datetime(request.starts_at),
                bidder_limit=_to_money(request.bidder_limit)
                if request.HasField("bidder_limit")
                else None,
            )
        )
        return messages.CreateShowResponse(show=show_message(show))

    async def UpdateShow(
        self, request: messages.UpdateShowRequest, call: Call
    ) -> messages.UpdateShowResponse:
        """Change a show of the caller's."""
        show = await self._update(
            show_id=request.show_id.lower(),
            seller_id=call.require_person().user_id,
            etag=request.etag,
            update=ShowUpdate(
                title=request.title if request.HasField("title") else None,
                description=request.description if request.HasField("description") else None,
                image_url=request.image_url if request.HasField("image_url") else None,
                starts_at=to_datetime(request.starts_at) if request.HasField("starts_at") else None,
                bidder_limit=_to_money(request.bidder_limit)
                if request.HasField("bidder_limit")
                else None,
                lifts_limit=request.clear_bidder_limit,
            ),
        )
        return messages.UpdateShowResponse(show=show_message(show))

    async def StartShow(
        self, request: messages.StartShowRequest, call: Call
    ) -> messages.StartShowResponse:
        """Open a show of the caller's."""
        show = await self._start(
            show_id=request.show_id.lower(), seller_id=call.require_person().user_id
        )
        return messages.StartShowResponse(show=show_message(show))

    async def EndShow(
        self, request: messages.EndShowRequest, call: Call
    ) -> messages.EndShowResponse:
        """End a show of the caller's."""
        show = await self._end(
            show_id=request.show_id.lower(), seller_id=call.require_person().user_id
        )
        return messages.EndShowResponse(show=show_message(show))

    async def GetShow(
        self, request: messages.GetShowRequest, call: Call
    ) -> messages.GetShowResponse:
        """Return a show with its lots; their seller also sees who leads."""
        viewer_id = _viewer_id(call)
        whole = await self._read.get(request.show_id.lower(), viewer_id=viewer_id)
        return messages.GetShowResponse(
            show=show_message(whole.show),
            lots=[self._in_short(lot, viewer_id) for lot in whole.lots],
            bookmarked=whole.bookmarked,
        )

    def _in_short(self, lot: Auction, viewer_id: str | None) -> AuctionMessage:
        """Return a lot without its description: a show can have hundreds of them."""
        message = auction_message(lot, self._aliases, viewer_id=viewer_id)
        message.ClearField("description")
        return message

    async def ListShows(
        self, request: messages.ListShowsRequest, call: Call
    ) -> messages.ListShowsResponse:
        """Return a page of shows."""
        limit = page_size_of(request.page_size)
        shows = await self._read.list_shows(
            state=ShowState(request.state) if request.state else ShowState.LIVE,
            seller_id=request.seller_id.lower() or None,
            viewer_id=_viewer_id(call),
            bookmarked_only=request.bookmarked_only,
            after=decode_position(request.page_token),
            limit=limit,
        )
        token = ""
        if len(shows) == limit:
            token = encode_position(ListPosition(*list_position(shows[-1])))
        return messages.ListShowsResponse(
            shows=[show_message(show) for show in shows], next_page_token=token
        )

    async def BookmarkShow(
        self, request: messages.BookmarkShowRequest, call: Call
    ) -> messages.BookmarkShowResponse:
        """Put a show on the caller's list, or take it off."""
        await self._bookmark(
            show_id=request.show_id.lower(),
            user_id=call.require_person().user_id,
            remove=request.remove,
        )
        return messages.BookmarkShowResponse()


def _to_money(message: MoneyMessage) -> Money:
    return Money(message.currency_code, message.amount_minor)


def _viewer_id(call: Call) -> str | None:
    return call.person.user_id if call.person is not None else None
