"""Announce a show."""

from svc_auction.application.show_ports import NewShow, Shows
from svc_auction.domain.show import Show


class CreateShow:
    """Announces shows; the same request announces one."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(self, new: NewShow) -> Show:
        """Return the show; ``RequestIdReused`` if the request id was used with another body."""
        return await self._shows.create(new)
