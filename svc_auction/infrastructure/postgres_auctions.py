"""Auctions in Postgres: reads, locked changes, and the close of what is due."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from kernel.errors import RequestIdReused
from kernel.ids import new_id
from servicekit.events.outbox import OutboxEvent, append
from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.ports import ListPosition, NewAuction
from svc_auction.domain.auction import Auction, Book, Outcome, State
from svc_auction.domain.errors import AuctionNotFound
from svc_auction.domain.events import AuctionCreated, AuctionEvent, BidPlaced
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.event_mapping import auction_event
from svc_auction.infrastructure.rows import terms_parameters, to_auction, to_bid_placed
from svc_auction.infrastructure.shards import Shard, Shards

_queries = load("svc_auction.infrastructure", "queries.sql")
_FIRST = ListPosition(datetime(1970, 1, 1, tzinfo=UTC), "00000000-0000-0000-0000-000000000000")
_LAST = ListPosition(datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")
_OVER = frozenset({State.ENDED, State.CANCELLED})


class ShardChange:
    """Auctions of one shard whose books are locked, and what has happened to them."""

    def __init__(self, *, auctions: Sequence[Auction], now: datetime, aliases: Aliases) -> None:
        self.now = now
        self.auctions = auctions
        self._aliases = aliases
        self._held_before = {
            a.listing.auction_id: (a.book.leader_id, a.book.held_minor) for a in auctions
        }
        self._events: list[OutboxEvent] = []
        self._changed: dict[str, Auction] = {}

    @property
    def auction(self) -> Auction:
        """The only auction of the change."""
        return self.auctions[0]

    def record(self, event: AuctionEvent) -> None:
        """Have the event of the only auction published, and its book saved."""
        self.record_of(self.auction, event)

    def record_of(self, auction: Auction, event: AuctionEvent) -> None:
        """Have an event published when the change commits, and the auction's book saved."""
        self._events.append(auction_event(auction, event, self._aliases))
        self._changed[auction.listing.auction_id] = auction

    async def save(self, connection: Connection) -> None:
        """Write books, released holds, settlements and events, in one round trip."""
        if not self._changed:
            return
        auctions = [self._changed[i] for i in sorted(self._changed)]
        released = [held for a in auctions if (held := self._released(a)) is not None]
        won = [a for a in auctions if self._paid_from_power(a)]
        async with connection.pipeline():
            await connection.execute(_queries["update_books"], _book_columns(auctions))
            if released:
                await connection.execute(
                    _queries["lock_power_of"],
                    (sorted({bidder_id for bidder_id, _, _ in released}),),
                )
                await connection.execute(
                    _queries["release_holds"],
                    [list(column) for column in zip(*released, strict=True)],
                )
            if won:
                await connection.execute(_queries["spend_power"], _spent_columns(won))
                await connection.execute(_queries["insert_settlements"], _settlement_columns(won))
            await append(connection, self._events)

    def _released(self, auction: Auction) -> tuple[str, str, int] | None:
        leader_id, held_minor = self._held_before[auction.listing.auction_id]
        if leader_id is None or held_minor == 0 or auction.book.held_minor != 0:
            return None
        return leader_id, auction.terms.currency_code, held_minor

    def _paid_from_power(self, auction: Auction) -> bool:
        _, held_minor = self._held_before[auction.listing.auction_id]
        return auction.book.outcome is Outcome.SOLD and held_minor > 0


class PostgresAuctions:
    """All auctions, each on the shard that its id carries."""

    def __init__(self, *, shards: Shards, aliases: Aliases) -> None:
        self._shards = shards
        self._aliases = aliases

    async def create(self, new: NewAuction) -> Auction:
        """Create a draft, or return the one that the same request created before."""
        auction_id = await self._created_before(new)
        if auction_id is None:
            shard = self._shards.for_new(new.request_id)
            auction_id = new_id(shard=shard.number)
            async with shard.transaction() as connection:
                created = await self._insert(connection, auction_id, new)
            if created:
                shard.relay.wake()
            else:
                # The same request came in twice at once, and the other one was first.
                auction_id = await self._created_before(new) or auction_id
        auction = await self.get(auction_id)
        # A replay gets the first answer, whatever has become of the draft since.
        return replace(auction, book=Book.of_draft(auction_id, auction.terms))

    async def _created_before(self, new: NewAuction) -> str | None:
        for shard in self._shards:
            async with shard.transaction() as connection:
                found = await connection.execute(
                    _queries["select_created"], (new.terms.seller_id, new.request_id)
                )
                row = await found.fetchone()
            if row is not None:
                if bytes(row[1]) != new.body_hash:
                    raise RequestIdReused
                return str(row[0])
        return None

    async def _insert(self, connection: Connection, auction_id: str, new: NewAuction) -> bool:
        inserted = await connection.execute(
            _queries["insert_auction"],
            {
                "auction_id": auction_id,
                "request_id": new.request_id,
                "body_hash": new.body_hash,
                "seller_name": new.seller_name,
                "title": new.title,
                "description": new.description,
                "image_url": new.image_url,
                **terms_parameters(new.terms),
            },
        )
        row = await inserted.fetchone()
        if row is None:
            return False
        await connection.execute(
            _queries["insert_book"],
            {"auction_id": auction_id, "opening_minor": new.terms.opening_minor},
        )
        found = await connection.execute(_queries["select_auction"], (auction_id,))
        auction = to_auction(await _one(found))
        event = AuctionCreated(sequence=1, occurred_at=row[0])
        await append(connection, [auction_event(auction, event, self._aliases)])
        return True

    @asynccontextmanager
    async def change(self, auction_id: str) -> AsyncIterator[ShardChange]:
        """Lock an auction; what is recorded is committed when the context ends without error."""
        shard = self._shards.of(auction_id)
        async with shard.transaction() as connection:
            found = await connection.execute(_queries["lock_auction"], (auction_id,))
            change = await self._change(connection, [to_auction(await _one(found))])
            yield change
            await change.save(connection)
        shard.relay.wake()

    async def _change(self, connection: Connection, auctions: Sequence[Auction]) -> ShardChange:
        clock = await connection.execute(_queries["database_time"])
        return ShardChange(auctions=auctions, now=(await _one(clock))[0], aliases=self._aliases)

    async def advance_due(self, shard: Shard, *, limit: int) -> int:
        """Close what is over and start what is due on a shard; return how many of them."""
        async with shard.transaction() as connection:
            due = await connection.execute(_queries["lock_due"], {"limit": limit})
            auctions = [to_auction(row) for row in await due.fetchall()]
            change = await self._change(connection, auctions)
            for auction in auctions:
                if auction.book.state is State.LIVE:
                    change.record_of(auction, auction.close(now=change.now))
                else:
                    change.record_of(auction, auction.start_on_schedule(now=change.now))
            await change.save(connection)
        if auctions:
            shard.relay.wake()
        return len(auctions)

    async def seconds_to_next(self, shard: Shard) -> float | None:
        """Return how long until something is due on a shard; None if nothing is known."""
        async with shard.statements() as connection:
            found = await connection.execute(_queries["seconds_to_next"])
            seconds: float | None = (await _one(found))[0]
        return seconds

    async def get(self, auction_id: str) -> Auction:
        """Return an auction as it is committed; ``AuctionNotFound`` if there is none."""
        async with self._shards.of(auction_id).transaction() as connection:
            found = await connection.execute(_queries["select_auction"], (auction_id,))
            return to_auction(await _one(found))

    async def own_maximum_minor(self, auction_id: str, bidder_id: str) -> int | None:
        """Return a bidder's highest maximum, or None before their first bid."""
        async with self._shards.of(auction_id).transaction() as connection:
            found = await connection.execute(
                _queries["select_own_maximum"], (bidder_id, auction_id)
            )
            maximum_minor: int | None = (await _one(found))[0]
        return maximum_minor

    async def list_page(
        self, *, state: State, seller_id: str | None, after: ListPosition | None, limit: int
    ) -> Sequence[Auction]:
        """Return up to ``limit`` auctions of all shards after a position, in the state's order."""
        latest_first = state in _OVER
        after = after or (_LAST if latest_first else _FIRST)
        query = "list_over" if latest_first else "list_running"
        if state is State.DRAFT:
            query = "list_drafts"
        found: list[Auction] = []
        for shard in self._shards:
            async with shard.read() as connection:
                rows = await connection.execute(
                    _queries[query],
                    {
                        "state": state,
                        "seller_id": seller_id,
                        "after_end": after.at,
                        "after_id": after.auction_id,
                        "limit": limit,
                    },
                )
                found += [to_auction(row) for row in await rows.fetchall()]
        return sorted(found, key=list_position, reverse=latest_first)[:limit]

    async def bids_before(
        self, auction_id: str, *, before_sequence: int, limit: int
    ) -> Sequence[BidPlaced]:
        """Return up to ``limit`` accepted bids below a sequence, newest first."""
        async with self._shards.of(auction_id).transaction() as connection:
            rows = await connection.execute(
                _queries["list_bids"], (auction_id, before_sequence, limit)
            )
            return [to_bid_placed(row) for row in await rows.fetchall()]


def list_position(auction: Auction) -> tuple[datetime, str]:
    """Return what lists are ordered by: the end (or the creation of a draft), then the id."""
    return auction.book.ends_at or auction.listing.created_at, auction.listing.auction_id


async def _one(cursor: Any) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = await cursor.fetchone()
    if row is None:
        raise AuctionNotFound
    return row


def _book_columns(auctions: Sequence[Auction]) -> list[list[Any]]:
    names = "auction_id state outcome sequence held_minor starts_at ends_at".split()
    return [[attrgetter(name)(auction.book) for auction in auctions] for name in names]


def _spent_columns(won: Sequence[Auction]) -> list[list[Any]]:
    return [
        [a.book.leader_id for a in won],
        [a.terms.currency_code for a in won],
        [a.book.price_minor for a in won],
    ]


def _settlement_columns(won: Sequence[Auction]) -> list[list[Any]]:
    return [
        [new_id() for _ in won],
        *_spent_columns(won),
        [a.listing.auction_id for a in won],
        [a.terms.seller_id for a in won],
    ]
