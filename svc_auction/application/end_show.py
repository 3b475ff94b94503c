"""End a show with all its lots."""

from svc_auction.application.show_ports import Shows
from svc_auction.domain.book import State
from svc_auction.domain.show import UP, Show

DROPPED_REASON = "The show has ended."


class EndShow:
    """Ends shows: the lot that is up is closed, those that wait are called off."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(self, *, show_id: str, seller_id: str) -> Show:
        """Return the ended show; nothing stays held for any of its lots."""
        async with self._shows.change(show_id, seller_id, lots_in=UP | {State.QUEUED}) as change:
            show = change.show
            change.record(show.end(now=change.now))
            for lot in change.lots:
                if lot.book.state in UP:
                    change.record_lot(lot, lot.close(now=change.now))
                else:
                    change.record_lot(lot, lot.drop(now=change.now, reason=DROPPED_REASON))
        return show
