"""Reorder the lots of a show that wait."""

from collections.abc import Sequence

from svc_auction.application.show_ports import Shows
from svc_auction.domain.book import State
from svc_auction.domain.show import Show


class ReorderLots:
    """Gives the waiting lots of a seller's show a new order."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(
        self, *, show_id: str, seller_id: str, etag: str, lot_ids: Sequence[str]
    ) -> Show:
        """Return the changed show; ``LotOrderInvalid`` unless exactly the waiting lots are named.

        The waiting lots are locked: none can be called off between the look and the new order.
        """
        async with self._shows.change(show_id, seller_id, lots_in={State.QUEUED}) as change:
            show = change.show
            waiting_ids = [lot.listing.auction_id for lot in change.lots]
            change.record(
                show.reorder(now=change.now, etag=etag, waiting_ids=waiting_ids, lot_ids=lot_ids)
            )
        return show
