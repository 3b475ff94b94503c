"""Shows: what anyone may read of them, how a seller runs one, and how people keep one in mind."""

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1 import show_service_pb2 as messages
from blytz.auction.v1.auction_pb2 import Auction, AuctionTerms
from blytz.auction.v1.show_pb2 import Show, ShowState
from blytz.common.v1.money_pb2 import Money
from blytz_client.policy import policies_of
from blytz_client.public_calls import PublicCalls

SHOW = policies_of(messages.DESCRIPTOR.services_by_name["ShowService"])


class PublicShowCalls(PublicCalls):
    """The calls about shows that need no token. Each raises ``BlytzCallError``."""

    async def get_show(self, show_id: str) -> messages.GetShowResponse:
        """Return a show with its lots in order."""
        request = messages.GetShowRequest(show_id=show_id)
        return await self._call(SHOW["GetShow"], request, messages.GetShowResponse)

    async def list_shows(
        self,
        *,
        state: ShowState.ValueType = ShowState.SHOW_STATE_UNSPECIFIED,
        seller_id: str = "",
        bookmarked_only: bool = False,
        page_size: int = 200,
    ) -> AsyncIterator[Show]:
        """Yield shows (those that are on by default), page by page."""
        request = messages.ListShowsRequest(
            state=state, seller_id=seller_id, bookmarked_only=bookmarked_only, page_size=page_size
        )
        while True:
            page = await self._call(SHOW["ListShows"], request, messages.ListShowsResponse)
            for show in page.shows:
                yield show
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


class ShowCalls(PublicShowCalls):
    """The calls of a show's seller and of its visitors. Each raises ``BlytzCallError``."""

    async def create_show(
        self,
        *,
        title: str,
        starts_at: datetime,
        description: str = "",
        image_url: str = "",
        bidder_limit: Money | None = None,
        request_id: str = "",
    ) -> Show:
        """Announce a show."""
        at = Timestamp()
        at.FromDatetime(starts_at)
        request = messages.CreateShowRequest(
            request_id=request_id or str(uuid.uuid4()),
            title=title,
            description=description,
            image_url=image_url,
            starts_at=at,
            bidder_limit=bidder_limit,
        )
        return (await self._call(SHOW["CreateShow"], request, messages.CreateShowResponse)).show

    async def add_lot(
        self,
        show_id: str,
        *,
        title: str,
        terms: AuctionTerms,
        description: str = "",
        image_url: str = "",
        reserve_price: Money | None = None,
        request_id: str = "",
    ) -> Auction:
        """Put a new lot at the end of the show's line."""
        request = messages.AddLotRequest(
            request_id=request_id or str(uuid.uuid4()),
            show_id=show_id,
            new_lot=messages.NewLot(
                title=title,
                description=description,
                image_url=image_url,
                terms=terms,
                reserve_price=reserve_price,
            ),
        )
        return (await self._call(SHOW["AddLot"], request, messages.AddLotResponse)).lot

    async def add_lot_again(
        self, show_id: str, auction_id: str, *, request_id: str = ""
    ) -> Auction:
        """Put a lot that was not sold at the end of the line once more."""
        request = messages.AddLotRequest(
            request_id=request_id or str(uuid.uuid4()),
            show_id=show_id,
            rerun_auction_id=auction_id,
        )
        return (await self._call(SHOW["AddLot"], request, messages.AddLotResponse)).lot

    async def reorder_lots(self, show_id: str, lot_ids: Sequence[str], *, etag: str = "") -> Show:
        """Give all lots that wait a new order."""
        request = messages.ReorderLotsRequest(show_id=show_id, etag=etag, lot_ids=lot_ids)
        return (await self._call(SHOW["ReorderLots"], request, messages.ReorderLotsResponse)).show

    async def start_show(self, show_id: str) -> Show:
        """Open the show."""
        request = messages.StartShowRequest(show_id=show_id)
        return (await self._call(SHOW["StartShow"], request, messages.StartShowResponse)).show

    async def open_next_lot(self, show_id: str, *, lasts: timedelta | None = None) -> Auction:
        """Start the clock of the first lot that waits, for so long or as its terms say."""
        request = messages.OpenNextLotRequest(show_id=show_id)
        if lasts is not None:
            duration = Duration()
            duration.FromTimedelta(lasts)
            request.duration.CopyFrom(duration)
        return (await self._call(SHOW["OpenNextLot"], request, messages.OpenNextLotResponse)).lot

    async def pause_lot(self, show_id: str) -> Auction:
        """Stop the clock of the open lot."""
        request = messages.PauseLotRequest(show_id=show_id)
        return (await self._call(SHOW["PauseLot"], request, messages.PauseLotResponse)).lot

    async def resume_lot(self, show_id: str) -> Auction:
        """Let the clock of the paused lot run on."""
        request = messages.ResumeLotRequest(show_id=show_id)
        return (await self._call(SHOW["ResumeLot"], request, messages.ResumeLotResponse)).lot

    async def end_show(self, show_id: str) -> Show:
        """End the show; lots that wait are called off."""
        request = messages.EndShowRequest(show_id=show_id)
        return (await self._call(SHOW["EndShow"], request, messages.EndShowResponse)).show

    async def bookmark_show(self, show_id: str, *, remove: bool = False) -> None:
        """Put a show on one's list, or take it off."""
        request = messages.BookmarkShowRequest(show_id=show_id, remove=remove)
        await self._call(SHOW["BookmarkShow"], request, messages.BookmarkShowResponse)
