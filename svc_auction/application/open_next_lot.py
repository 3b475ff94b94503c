"""Open the next lot of a show."""

from datetime import timedelta

from svc_auction.application.show_ports import Shows
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import State
from svc_auction.domain.show import UP, Show


class OpenNextLot:
    """Starts the clock of the first lot that waits; bids that were placed ahead count."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(
        self, *, show_id: str, seller_id: str, etag: str, duration: timedelta | None
    ) -> tuple[Show, Auction]:
        """Return the show and the lot, open for ``duration`` or as its terms say.

        A lot whose time is over is closed on the way: nobody waits for the timekeeper.
        """
        async with self._shows.change(show_id, seller_id, lots_in=UP | {State.QUEUED}) as change:
            show = change.show
            for lot in change.lots:
                if lot.book.is_over_at(change.now):
                    change.record_lot(lot, lot.close(now=change.now))
            lots = {lot.listing.auction_id: lot for lot in change.lots}
            lot_id, event = show.open_next_lot(
                now=change.now,
                etag=etag,
                states={lot_id: lot.book.state for lot_id, lot in lots.items()},
            )
            change.record(event)
            lot = lots[lot_id]
            lot.terms = show.terms_of_lot(lot.terms)
            change.record_lot(lot, lot.open_lot(now=change.now, duration=duration))
        return show, lot
