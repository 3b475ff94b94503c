"""A change of a show and of its lots: all of it is written in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kernel.errors import RequestIdReused
from servicekit.events.outbox import OutboxEvent, append
from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.ports import NewAuction
from svc_auction.domain.auction import Auction, Listing
from svc_auction.domain.book import Book
from svc_auction.domain.events import AuctionEvent
from svc_auction.domain.show import Show
from svc_auction.domain.show_events import ShowEvent
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.announcements import Announcements
from svc_auction.infrastructure.postgres_auctions import insert_draft
from svc_auction.infrastructure.shard_change import ShardChange
from svc_auction.infrastructure.show_mapping import show_event
from svc_auction.infrastructure.show_rows import show_parameters

_queries = load("svc_auction.infrastructure", "shows.sql")


class ShardShowChange:
    """A show that is locked, those of its lots that are, and what has happened to them."""

    def __init__(
        self,
        *,
        connection: Connection,
        show: Show,
        lots: Sequence[Auction],
        now: datetime,
        aliases: Aliases,
        announcements: Announcements,
    ) -> None:
        self.show = show
        self.lots = lots
        self.now = now
        self._connection = connection
        self._aliases = aliases
        self._announcements = announcements
        self._lots_change = self._change_of(lots, now)
        self._limits_before = {lot.listing.auction_id: lot.terms.bidder_limit_minor for lot in lots}
        self._events: list[OutboxEvent] = []

    def record(self, event: ShowEvent) -> None:
        """Have the show's event published when the change commits, and the show saved with it."""
        self._events.append(show_event(self.show, event))

    def record_lot(self, lot: Auction, event: AuctionEvent) -> None:
        """Have a locked lot's event published when the change commits, and the lot saved."""
        self._lots_change.record_of(lot, event)

    async def lot_added_before(self, new: NewAuction) -> Auction | None:
        """Return the lot that the same request added before, as it was added.

        It is what the request says, whatever has become of the lot since.
        """
        lot = await self._draft(new)
        if lot is not None:
            lot.queue(now=lot.listing.created_at)
        return lot

    async def add_lot(self, lot_id: str, new: NewAuction) -> Auction:
        """Add a lot that waits; ``RequestIdReused`` if its request id served something else."""
        inserted = await insert_draft(self._connection, lot_id, new, self._aliases)
        lot = await self._draft(new)
        if not inserted or lot is None:
            raise RequestIdReused
        now = lot.listing.created_at
        change = self._change_of([lot], now)
        change.record(lot.queue(now=now))
        await change.save(self._connection)
        return lot

    def _change_of(self, lots: Sequence[Auction], now: datetime) -> ShardChange:
        return ShardChange(
            auctions=lots, now=now, aliases=self._aliases, announcements=self._announcements
        )

    async def _draft(self, new: NewAuction) -> Auction | None:
        found = await self._connection.execute(
            _queries["select_added"], (new.terms.seller_id, new.request_id)
        )
        row = await found.fetchone()
        if row is None:
            return None
        lot_id, body_hash, seller_name, created_at = row
        if bytes(body_hash) != new.body_hash:
            raise RequestIdReused
        terms = replace(new.terms, show_id=self.show.show_id)
        return Auction(
            listing=Listing(
                lot_id, seller_name, new.title, new.description, new.image_url, created_at
            ),
            terms=terms,
            book=Book.of_draft(lot_id, terms),
        )

    async def lot_currencies(self) -> frozenset[str]:
        """Return the currency codes of all lots that the show has had."""
        found = await self._connection.execute(_queries["select_currencies"], (self.show.show_id,))
        return frozenset(row[0] for row in await found.fetchall())

    async def save(self) -> None:
        """Write the show, its lots, their holds and settlements, and all events."""
        await self._lots_change.save(self._connection)
        limits = {
            lot.listing.auction_id: lot.terms.bidder_limit_minor
            for lot in self.lots
            if lot.terms.bidder_limit_minor != self._limits_before[lot.listing.auction_id]
        }
        if limits:
            await self._connection.execute(
                _queries["update_limits"], (list(limits), list(limits.values()))
            )
        if self._events:
            await self._connection.execute(_queries["update_show"], show_parameters(self.show))
            await append(self._connection, self._events)
