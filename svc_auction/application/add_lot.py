"""Add a lot to a show: a new one, or one that was up before and found no buyer."""

from dataclasses import dataclass, replace

from kernel.ids import new_id, shard_of
from svc_auction.application.ports import NewAuction
from svc_auction.application.seller_access import own_auction
from svc_auction.application.show_ports import Shows
from svc_auction.domain.auction import Auction
from svc_auction.domain.show import Show, check_rerun


@dataclass(frozen=True, slots=True)
class Rerun:
    """A lot that is to come up once more, and the command that asked for it."""

    request_id: str
    body_hash: bytes
    seller_id: str
    auction_id: str


class AddLot:
    """Puts lots at the end of a show's queue; the same request adds one."""

    def __init__(self, *, shows: Shows) -> None:
        self._shows = shows

    async def __call__(
        self, *, show_id: str, etag: str, lot: NewAuction | Rerun
    ) -> tuple[Show, Auction]:
        """Return the show as it stands, and the lot as it was added."""
        new = await self._copy(lot) if isinstance(lot, Rerun) else lot
        async with self._shows.change(show_id, new.terms.seller_id) as change:
            show = change.show
            added = await change.lot_added_before(new)
            if added is None:
                lot_id = new_id(shard=shard_of(show_id))
                change.record(show.add_lot(now=change.now, etag=etag, lot_id=lot_id))
                terms = show.terms_of_lot(new.terms)
                added = await change.add_lot(lot_id, replace(new, terms=terms))
        return show, added

    async def _copy(self, rerun: Rerun) -> NewAuction:
        """Return a new auction of the same thing; the earlier one, wherever it is, stays over."""
        earlier = own_auction(await self._shows.earlier_lot(rerun.auction_id), rerun.seller_id)
        check_rerun(earlier)
        return NewAuction(
            request_id=rerun.request_id,
            body_hash=rerun.body_hash,
            seller_name=earlier.listing.seller_name,
            title=earlier.listing.title,
            description=earlier.listing.description,
            image_url=earlier.listing.image_url,
            terms=earlier.terms,
        )
