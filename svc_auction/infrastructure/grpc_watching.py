"""The calls of AuctionService about a person's watch list."""

from blytz.auction.v1 import auction_service_pb2 as messages
from servicekit.call import Call
from svc_auction.application.read_auctions import page_size_of
from svc_auction.application.watch_auctions import WatchAuctions
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.page_tokens import decode_position, encode_position
from svc_auction.infrastructure.proto_mapping import auction_message


class WatchingCalls:
    """Keeps people's watch lists, each for its owner alone."""

    def __init__(self, *, watch: WatchAuctions, aliases: Aliases) -> None:
        self._watch = watch
        self._aliases = aliases

    async def WatchlistAdd(
        self, request: messages.WatchlistAddRequest, call: Call
    ) -> messages.WatchlistAddResponse:
        """Put an auction on the caller's list."""
        user_id = call.require_person().user_id
        await self._watch.add(user_id, request.auction_id.lower())
        return messages.WatchlistAddResponse()

    async def WatchlistRemove(
        self, request: messages.WatchlistRemoveRequest, call: Call
    ) -> messages.WatchlistRemoveResponse:
        """Take an auction off the caller's list."""
        user_id = call.require_person().user_id
        await self._watch.remove(user_id, request.auction_id.lower())
        return messages.WatchlistRemoveResponse()

    async def ListWatchlist(
        self, request: messages.ListWatchlistRequest, call: Call
    ) -> messages.ListWatchlistResponse:
        """Return a page of the caller's list."""
        user_id = call.require_person().user_id
        page = await self._watch.list_page(
            user_id,
            after=decode_position(request.page_token),
            limit=page_size_of(request.page_size),
        )
        return messages.ListWatchlistResponse(
            auctions=[
                auction_message(auction, self._aliases, viewer_id=user_id)
                for auction in page.auctions
            ],
            next_page_token=encode_position(page.next_after) if page.next_after else "",
        )
