"""Update a show: what it says of itself, when it starts, and the limit for bidders."""

from svc_auction.application.show_ports import Shows
from svc_auction.domain.book import State
from svc_auction.domain.show import Show, ShowUpdate


class UpdateShow:
    """Changes a seller's show; a new limit counts for all lots that still wait."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(
        self, *, show_id: str, seller_id: str, etag: str, update: ShowUpdate
    ) -> Show:
        """Return the changed show; ``EtagMismatch`` if it is not the one that was read."""
        lots_in = {State.QUEUED} if update.changes_limit else ()
        async with self._shows.change(show_id, seller_id, lots_in=lots_in) as change:
            show = change.show
            change.record(show.update(now=change.now, etag=etag, update=update))
            if update.changes_limit:
                show.check_currencies(await change.lot_currencies())
            for lot in change.lots:
                lot.terms = show.terms_of_lot(lot.terms)
        return show
