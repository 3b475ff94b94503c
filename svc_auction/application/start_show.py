"""Start a show at its seller's word."""

from svc_auction.application.show_ports import Shows
from svc_auction.domain.show import Show


class StartShow:
    """Opens a seller's show; its first lot is opened separately."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(self, *, show_id: str, seller_id: str) -> Show:
        """Return the show, which is on now."""
        async with self._shows.change(show_id, seller_id) as change:
            show = change.show
            change.record(show.start(now=change.now))
        return show
