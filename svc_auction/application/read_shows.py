"""Read shows and their lots, as anyone may see them."""

from collections.abc import Sequence

from svc_auction.application.ports import ListPosition
from svc_auction.application.show_ports import Shows, WholeShow
from svc_auction.domain.show import Show, ShowState


class ReadShows:
    """The read side of shows; nothing here locks or writes."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def get(self, show_id: str, *, viewer_id: str | None) -> WholeShow:
        """Return a show with its lots in order."""
        return await self._shows.get(show_id, viewer_id=viewer_id)

    async def list_shows(
        self,
        *,
        state: ShowState,
        seller_id: str | None,
        viewer_id: str | None,
        bookmarked_only: bool,
        after: ListPosition | None,
        limit: int,
    ) -> Sequence[Show]:
        """Return a page in the state's order; bookmarks are listed for their own person only."""
        if bookmarked_only and viewer_id is None:
            return ()
        return await self._shows.list_page(
            state=state,
            seller_id=seller_id,
            bookmarked_by=viewer_id if bookmarked_only else None,
            after=after,
            limit=limit,
        )
