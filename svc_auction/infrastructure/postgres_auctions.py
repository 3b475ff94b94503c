"""Auctions in Postgres: reads, locked changes, and the close of what is due."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kernel.errors import RequestIdReused
from kernel.ids import new_id
from servicekit.events.outbox import append
from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.ports import ListPosition, NewAuction, Position, position_of
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import Book, State
from svc_auction.domain.errors import AuctionNotFound, ShardUnavailable
from svc_auction.domain.events import AuctionCreated, BidPlaced
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.event_mapping import auction_event, ending_soon_events
from svc_auction.infrastructure.rows import terms_parameters, to_auction, to_bid_placed
from svc_auction.infrastructure.shard_change import ShardChange
from svc_auction.infrastructure.shards import Shard, Shards

_queries = load("svc_auction.infrastructure", "queries.sql")
_FIRST = ListPosition(datetime(1970, 1, 1, tzinfo=UTC), "00000000-0000-0000-0000-000000000000")
_LAST = ListPosition(datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")
_OVER = frozenset({State.ENDED, State.CANCELLED})
_UNDATED = frozenset({State.DRAFT, State.QUEUED})


class PostgresAuctions:
    """All auctions, each on the shard that its id carries."""

    def __init__(self, *, shards: Shards, aliases: Aliases) -> None:
        self._shards = shards
        self._aliases = aliases

    async def create(self, new: NewAuction) -> Auction:
        """Create a draft, or return the one that the same request created before.

        A request's shard is always the same as long as the same shards are open. Another one that
        is away is not asked: if the request came in before those changed, and went there, and comes
        again while that shard is away, it makes a second draft.
        """
        auction_id = await self._created_before(new)
        if auction_id is None:
            shard = self._shards.for_new(new.request_id)
            auction_id = new_id(shard=shard.number)
            async with shard.transaction() as connection:
                created = await insert_draft(connection, auction_id, new, self._aliases)
            if created:
                shard.relay.wake()
            else:
                # The same request came in twice at once, and the other one was first.
                auction_id = await self._created_before(new) or auction_id
        auction = await self.get(auction_id)
        # A replay gets the first answer, whatever has become of the draft since.
        return replace(auction, book=Book.of_draft(auction_id, auction.terms))

    async def _created_before(self, new: NewAuction) -> str | None:
        """Return what a request created before; only the shard it goes to now must be there."""
        target = self._shards.for_new(new.request_id)
        answers = await asyncio.gather(
            *(_select_created(shard, new) for shard in self._shards), return_exceptions=True
        )
        found = next((answer for answer in answers if isinstance(answer, str)), None)
        if found is not None:
            return found
        for shard, answer in zip(self._shards, answers, strict=True):
            away = isinstance(answer, ShardUnavailable) and shard is not target
            if isinstance(answer, BaseException) and not away:
                raise answer
        return None

    @asynccontextmanager
    async def change(self, auction_id: str) -> AsyncIterator[ShardChange]:
        """Lock an auction; what is recorded is committed when the context ends without error."""
        shard = self._shards.of(auction_id)
        async with shard.transaction() as connection:
            found = await connection.execute(_queries["lock_auction"], (auction_id,))
            change = await self._change(shard, connection, [to_auction(await _one(found))])
            yield change
            await change.save(connection)
        shard.relay.wake()

    async def _change(
        self, shard: Shard, connection: Connection, auctions: Sequence[Auction]
    ) -> ShardChange:
        clock = await connection.execute(_queries["database_time"])
        return ShardChange(
            auctions=auctions,
            now=(await _one(clock))[0],
            aliases=self._aliases,
            announcements=shard.announcements,
        )

    async def advance_due(self, shard: Shard, *, limit: int) -> int:
        """Close what is over and start what is due on a shard; return how many of them."""
        async with shard.transaction() as connection:
            due = await connection.execute(_queries["lock_due"], {"limit": limit})
            auctions = [to_auction(row) for row in await due.fetchall()]
            change = await self._change(shard, connection, auctions)
            for auction in auctions:
                if auction.book.state is State.LIVE:
                    change.record_of(auction, auction.close(now=change.now))
                else:
                    change.record_of(auction, auction.start_on_schedule(now=change.now))
            await change.save(connection)
        if auctions:
            shard.relay.wake()
        return len(auctions)

    async def tell_ending_soon(self, shard: Shard, *, limit: int) -> int:
        """Tell those who watch that the end is near, once an auction; return how many auctions."""
        async with shard.transaction() as connection:
            due = await connection.execute(_queries["lock_ending_soon"], {"limit": limit})
            auctions = [to_auction(row) for row in await due.fetchall()]
            if not auctions:
                return 0
            auction_ids = [auction.listing.auction_id for auction in auctions]
            now = (await _one(await connection.execute(_queries["database_time"])))[0]
            found = await connection.execute(_queries["select_watchers"], (auction_ids,))
            watcher_ids: dict[str, list[str]] = {}
            for auction_id, user_id in await found.fetchall():
                watcher_ids.setdefault(auction_id, []).append(user_id)
            for auction in auctions:
                watching_ids = watcher_ids.get(auction.listing.auction_id, [])
                await append(connection, ending_soon_events(auction, watching_ids, now))
            await connection.execute(_queries["note_ending_soon_told"], (auction_ids,))
        shard.relay.wake()
        return len(auctions)

    async def seconds_to_next(self, shard: Shard) -> float | None:
        """Return how long until something is due on a shard; None if nothing is known."""
        async with shard.statements() as connection:
            found = await connection.execute(_queries["seconds_to_next"])
            seconds: float | None = (await _one(found))[0]
        return seconds

    async def get(self, auction_id: str, *, at_least: Position | None = None) -> Auction:
        """Return an auction as it is committed, or as it was at a position or later.

        ``AuctionNotFound`` if there is none.
        """

        async def select(connection: Connection) -> Auction:
            found = await connection.execute(_queries["select_auction"], (auction_id,))
            return to_auction(await _one(found))

        shard = self._shards.of(auction_id)
        if at_least is None:
            return await shard.ask(select)
        return await shard.ask_replica(select, is_enough=lambda a: position_of(a) >= at_least)

    async def own_maximum_minor(self, auction_id: str, bidder_id: str) -> int | None:
        """Return a bidder's highest maximum, or None before their first bid."""
        async with self._shards.of(auction_id).transaction() as connection:
            found = await connection.execute(
                _queries["select_own_maximum"], (bidder_id, auction_id)
            )
            maximum_minor: int | None = (await _one(found))[0]
        return maximum_minor

    async def list_page(
        self,
        *,
        state: State,
        seller_id: str | None,
        after: ListPosition | None,
        limit: int,
        may_lag: bool = False,
    ) -> Sequence[Auction]:
        """Return up to ``limit`` auctions of all shards after a position, in the state's order.

        A shard that is away fails the whole list: one that silently misses auctions would look
        like one in which they have ended.
        """
        latest_first = state in _OVER
        after = after or (_LAST if latest_first else _FIRST)
        query = "list_over" if latest_first else "list_running"
        if state in _UNDATED:
            query = "list_undated"
        parameters = {
            "state": state,
            "seller_id": seller_id,
            "after_end": after.at,
            "after_id": after.auction_id,
            "limit": limit,
        }

        async def select(connection: Connection) -> list[Auction]:
            rows = await connection.execute(_queries[query], parameters)
            return [to_auction(row) for row in await rows.fetchall()]

        answers = await asyncio.gather(
            *(shard.ask_replica(select) if may_lag else shard.ask(select) for shard in self._shards)
        )
        found = [auction for answer in answers for auction in answer]
        return sorted(found, key=list_position, reverse=latest_first)[:limit]

    async def bids_before(
        self,
        auction_id: str,
        *,
        before_sequence: int,
        limit: int,
        at_least: Position | None = None,
    ) -> tuple[Auction, Sequence[BidPlaced]]:
        """Return an auction and up to ``limit`` of its bids below a sequence, newest first.

        Both are read at one moment: no bid up to the auction's position is missing, none is beyond.
        """

        async def select(connection: Connection) -> tuple[Auction, Sequence[BidPlaced]]:
            async with connection.pipeline():
                await connection.execute(_queries["read_one_moment"])
                found = await connection.execute(_queries["select_auction"], (auction_id,))
                rows = await connection.execute(
                    _queries["list_bids"], (auction_id, before_sequence, limit)
                )
                auction = to_auction(await _one(found))
                return auction, [to_bid_placed(row) for row in await rows.fetchall()]

        shard = self._shards.of(auction_id)
        if at_least is None:
            return await shard.ask(select)
        return await shard.ask_replica(
            select, is_enough=lambda page: position_of(page[0]) >= at_least
        )


async def _select_created(shard: Shard, new: NewAuction) -> str | None:
    async with shard.statements() as connection:
        found = await connection.execute(
            _queries["select_created"], (new.terms.seller_id, new.request_id)
        )
        row = await found.fetchone()
    if row is None:
        return None
    if bytes(row[1]) != new.body_hash:
        raise RequestIdReused
    return str(row[0])


async def insert_draft(
    connection: Connection, auction_id: str, new: NewAuction, aliases: Aliases
) -> bool:
    """Add a draft and its first event; False if the seller used the request id before."""
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
    await append(connection, [auction_event(auction, event, aliases)])
    return True


def list_position(auction: Auction) -> tuple[datetime, str]:
    """Return what lists are ordered by: the end (the creation of what has none), then the id."""
    dated = auction.book.state not in _UNDATED
    at = auction.book.ends_at if dated else None
    return at or auction.listing.created_at, auction.listing.auction_id


async def _one(cursor: Any) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = await cursor.fetchone()
    if row is None:
        raise AuctionNotFound
    return row
