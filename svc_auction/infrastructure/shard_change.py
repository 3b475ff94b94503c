"""A change of auctions outside the bid lane: what happened to them, written in one go."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from servicekit.events.outbox import OutboxEvent, append
from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.decide_bids import PowerKey
from svc_auction.application.ports import position_of
from svc_auction.domain.auction import Auction
from svc_auction.domain.events import AuctionEvent
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.announcements import Announcements
from svc_auction.infrastructure.event_mapping import auction_event
from svc_auction.infrastructure.holds import (
    change_holds,
    is_paid_from_power,
    release_sealed,
    settle,
)
from svc_auction.infrastructure.rows import terms_parameters

BOOK_COLUMNS = (
    "auction_id state outcome sequence price_minor leader_id leader_maximum_minor held_minor "
    "bid_count extension_count starts_at ends_at announced_end_at paused_at paused_for "
    "ending_soon_at log_head"
).split()

_queries = load("svc_auction.infrastructure", "queries.sql")


class ShardChange:
    """Auctions of one shard whose books are locked, and what has happened to them."""

    def __init__(
        self,
        *,
        auctions: Sequence[Auction],
        now: datetime,
        aliases: Aliases,
        announcements: Announcements,
    ) -> None:
        self.now = now
        self.auctions = auctions
        self._aliases = aliases
        self._announcements = announcements
        self._before = {
            a.listing.auction_id: (a.book.is_open, a.book.leader_id, a.book.held_minor, a.etag)
            for a in auctions
        }
        self._events: list[OutboxEvent] = []
        self._changed: dict[str, Auction] = {}

    @property
    def auction(self) -> Auction:
        """The only auction of the change."""
        return self.auctions[0]

    def record(self, event: AuctionEvent | None) -> None:
        """Have the event of the only auction published, and the auction saved."""
        self.record_of(self.auction, event)

    def record_of(self, auction: Auction, event: AuctionEvent | None) -> None:
        """Have an event published when the change commits, and the auction saved with it."""
        if event is not None:
            self._events.append(auction_event(auction, event, self._aliases))
        self._changed[auction.listing.auction_id] = auction

    async def save(self, connection: Connection) -> None:
        """Write auctions, holds, settlements and events."""
        if not self._changed:
            return
        auctions = [self._changed[i] for i in sorted(self._changed)]
        over = [a for a in auctions if self._is_newly_over(a)]
        sealed_ids = [a.listing.auction_id for a in over if a.terms.format.sealed]
        released = [held for a in auctions for held in self._released(a)]
        if sealed_ids:
            released += await release_sealed(connection, sealed_ids)
        sales = [(a.book, a.terms) for a in over if is_paid_from_power(a.book, a.terms)]
        async with connection.pipeline():
            await connection.execute(_queries["update_books"], _book_columns(auctions))
            for auction in auctions:
                if auction.etag != self._before[auction.listing.auction_id][-1]:
                    await connection.execute(
                        _queries["update_listings"], _listing_parameters(auction)
                    )
            await change_holds(connection, released)
            if sales:
                await settle(connection, sales)
            await append(connection, self._events)
        for auction in auctions:
            self._announcements.note(auction.listing.auction_id, position_of(auction))

    def _is_newly_over(self, auction: Auction) -> bool:
        was_open, *_ = self._before[auction.listing.auction_id]
        return was_open and not auction.book.is_open

    def _released(self, auction: Auction) -> list[tuple[PowerKey, int]]:
        """Return what is no longer held, and what is held instead, as less than nothing."""
        _, leader_id, held_minor, _ = self._before[auction.listing.auction_id]
        book, currency_code = auction.book, auction.terms.currency_code
        released: list[tuple[PowerKey, int]] = []
        if leader_id is not None:
            released.append(((leader_id, currency_code), held_minor))
        if book.leader_id is not None:
            released.append(((book.leader_id, currency_code), -book.held_minor))
        return released


def _book_columns(auctions: Sequence[Auction]) -> list[list[Any]]:
    return [[attrgetter(name)(auction.book) for auction in auctions] for name in BOOK_COLUMNS]


def _listing_parameters(auction: Auction) -> dict[str, Any]:
    listing = auction.listing
    return {
        "auction_id": listing.auction_id,
        "title": listing.title,
        "description": listing.description,
        "image_url": listing.image_url,
        "revision": listing.revision,
        "description_changed_at": listing.description_changed_at,
        **terms_parameters(auction.terms),
    }
