"""Pause the lot of a show that is up, and let it go on."""

from svc_auction.application.show_ports import Shows
from svc_auction.domain.auction import Auction
from svc_auction.domain.show import UP, Show


class PauseLot:
    """Stops the clock of the open lot; what is held for it stays held."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(self, *, show_id: str, seller_id: str) -> tuple[Show, Auction]:
        """Return the show and the paused lot."""
        async with self._shows.change(show_id, seller_id, lots_in=UP) as change:
            show = change.show
            lot = show.lot_that_is_up(change.lots)
            change.record_lot(lot, lot.pause(now=change.now))
        return show, lot


class ResumeLot:
    """Lets the clock of the paused lot run on where it stood."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(self, *, show_id: str, seller_id: str) -> tuple[Show, Auction]:
        """Return the show and the lot, which is open again."""
        async with self._shows.change(show_id, seller_id, lots_in=UP) as change:
            show = change.show
            lot = show.lot_that_is_up(change.lots)
            change.record_lot(lot, lot.resume(now=change.now))
        return show, lot
