"""Bookmark a show."""

from svc_auction.application.show_ports import Shows


class BookmarkShow:
    """Keeps people's lists of shows; wishing the same twice changes nothing."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(self, *, show_id: str, user_id: str, remove: bool) -> None:
        """Put a show on a person's list, or take it off; ``ShowNotFound`` if there is none."""
        await self._shows.bookmark(show_id, user_id, remove=remove)
