"""The bid lane: all bids of a shard that waited during the last commit go into the next one.

Under load a transaction carries hundreds of bids and costs about as much as one; when idle a bid is
committed at once. Books are locked before bidding power, both in id order, so that the lanes of
several replicas never deadlock. A bid is answered only after its commit.
"""

import asyncio
import contextvars
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, LiteralString

import psycopg
from prometheus_client import Counter, Histogram
from psycopg import errors as postgres_errors

from kernel.errors import BlytzError, Overloaded
from servicekit import arrays
from servicekit.events.outbox import APPEND_SQL, OutboxEvent, append_parameters
from servicekit.postgres import Connection
from servicekit.queries import load
from servicekit.telemetry import current_traceparent, is_sampled
from svc_auction.application.decide_bids import (
    Bench,
    Decisions,
    Power,
    PowerKey,
    decide_bids,
)
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.auction import Book, State, Terms
from svc_auction.domain.bidding import Bid
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.event_mapping import bid_placed_event, extended_event
from svc_auction.infrastructure.rows import to_bid_placed, to_book, to_terms
from svc_auction.infrastructure.shards import Shard, Shards

BATCH_MAX = 1_000
WAITING_MAX = 20_000
ATTEMPTS_MAX = 5
REST_S_MAX = 0.01
TERMS_CACHED_MAX = 50_000

_queries = load("svc_auction.infrastructure", "queries.sql")
_batch_bids = Histogram(
    "blytz_auction_lane_batch_bids",
    "Bids decided in one transaction.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000),
)
_bids = Counter("blytz_auction_bids_total", "Bids decided, by verdict.", ["verdict"])
_RETRYABLE = (
    postgres_errors.DeadlockDetected,
    postgres_errors.SerializationFailure,
    postgres_errors.UniqueViolation,
)

Waiting = tuple[Bid, "asyncio.Future[PlacedBid]"]


class BidLane:
    """The lane of one shard in this process; several replicas may each run one."""

    def __init__(self, *, shard: Shard, aliases: Aliases) -> None:
        self._shard = shard
        self._aliases = aliases
        self._waiting: list[Waiting] = []
        self._running: asyncio.Task[None] | None = None
        self._terms: dict[str, Terms] = {}
        self._traces: dict[tuple[str, str], str] = {}

    async def place(self, bid: Bid) -> PlacedBid:
        """Return the bid once it is committed, or raise why it is refused."""
        if len(self._waiting) >= WAITING_MAX:
            raise Overloaded(retry_after_s=0.5)
        verdict: asyncio.Future[PlacedBid] = asyncio.get_running_loop().create_future()
        self._waiting.append((bid, verdict))
        if is_sampled(traceparent := current_traceparent.get()):
            self._traces[bid.bidder_id, bid.request_id] = traceparent
        if self._running is None:
            # The lane serves everybody: it runs in no caller's context.
            self._running = asyncio.create_task(
                self._run(), name=f"lane-{self._shard.number}", context=contextvars.Context()
            )
        return await verdict

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                # Whoever has hung up meanwhile must not be bid for.
                batch = [waiting for waiting in batch if not waiting[1].done()]
                if batch:
                    await self._settle_and_rest(batch)
        finally:
            self._running = None

    async def _settle_and_rest(self, batch: Sequence[Waiting]) -> None:
        """Settle a batch; after one of several bids rest for as long as it took, up to a bound.

        A transaction costs about as much as twenty bids. Under load the rest doubles the next
        batch; a bid that comes alone never waits for anything but the commit before it.
        """
        clock = asyncio.get_running_loop().time
        started_s = clock()
        await self._settle(batch)
        if self._traces:
            for bid, _ in batch:
                self._traces.pop((bid.bidder_id, bid.request_id), None)
        if len(batch) > 1:
            await asyncio.sleep(min(clock() - started_s, REST_S_MAX))

    async def _settle(self, batch: Sequence[Waiting]) -> None:
        """Commit a batch and hand each caller its own verdict."""
        try:
            verdicts: Iterable[PlacedBid | BaseException] = await self._commit(
                [bid for bid, _ in batch]
            )
        except BaseException as fault:
            for _, verdict in batch:
                if not verdict.done():
                    verdict.set_exception(fault if isinstance(fault, Exception) else Overloaded())
            if not isinstance(fault, Exception):
                raise
            return
        for (_, verdict), decided in zip(batch, verdicts, strict=True):
            if verdict.done():
                continue
            if isinstance(decided, BaseException):
                verdict.set_exception(decided)
            else:
                verdict.set_result(decided)

    async def _commit(self, bids: Sequence[Bid]) -> Sequence[PlacedBid | BlytzError]:
        """Decide and commit a batch; a collision with another replica starts it over."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                async with self._shard.transaction() as connection:
                    decisions = decide_bids(bids, await self._lock(connection, bids))
                    if decisions.placed:
                        await self._write(connection, decisions)
            except _RETRYABLE:
                if attempt == ATTEMPTS_MAX:
                    raise
            else:
                break
        if decisions.placed:
            self._shard.relay.wake()
        _batch_bids.observe(len(bids))
        _bids.labels("accepted").inc(len(decisions.placed))
        _bids.labels("other").inc(len(bids) - len(decisions.placed))
        return decisions.verdicts

    async def _lock(self, connection: Connection, bids: Sequence[Bid]) -> Bench:
        """Lock and read all that a batch is decided on, in one round trip."""
        auction_ids = sorted({bid.auction_id for bid in bids})
        bidder_ids = [bid.bidder_id for bid in bids]
        unknown_ids = [i for i in auction_ids if i not in self._terms]
        async with connection.pipeline():
            books = await connection.execute(_queries["lock_books"], [arrays.ids(auction_ids)])
            clock = await connection.execute(_queries["database_time"])
            terms = await connection.execute(_queries["select_terms"], [arrays.ids(unknown_ids)])
            recorded = await connection.execute(
                _queries["select_recorded_bids"],
                [arrays.ids(bidder_ids), arrays.ids([bid.request_id for bid in bids])],
            )
            power = await connection.execute(
                _queries["lock_bidding_power"],
                [arrays.ids(sorted(set(bidder_ids))), arrays.ids(auction_ids)],
            )
            bench = Bench(
                now=_only(await clock.fetchone()),
                books={row[0]: to_book(row) for row in await books.fetchall()},
                terms=self._known_terms(auction_ids),
                power={(r[0], r[1]): Power(r[2], r[3]) for r in await power.fetchall()},
                recorded={},
            )
            for row in await terms.fetchall():
                bench.terms[row[0]] = to_terms(row[1:])
            rows = await recorded.fetchall()
        self._remember(bench)
        await self._recall(connection, rows, bench)
        return bench

    async def _recall(
        self, connection: Connection, rows: Sequence[tuple[Any, ...]], bench: Bench
    ) -> None:
        """Put earlier answers on the bench, for requests that come again."""
        missing_ids = sorted({row[0] for row in rows} - bench.terms.keys())
        if missing_ids:
            found = await connection.execute(_queries["select_terms"], (missing_ids,))
            bench.terms.update({r[0]: to_terms(r[1:]) for r in await found.fetchall()})
        for row in rows:
            event = to_bid_placed(row)
            bench.recorded[event.bidder_id, event.request_id] = PlacedBid(
                row[0], row[2], bench.terms[row[0]], event
            )

    def _known_terms(self, auction_ids: Iterable[str]) -> dict[str, Terms]:
        return {i: self._terms[i] for i in auction_ids if i in self._terms}

    def _remember(self, bench: Bench) -> None:
        """Keep the terms of live auctions: they are frozen."""
        if len(self._terms) > TERMS_CACHED_MAX:
            self._terms.clear()
        for auction_id, book in bench.books.items():
            if book.state is State.LIVE:
                self._terms[auction_id] = bench.terms[auction_id]

    async def _write(self, connection: Connection, decisions: Decisions) -> None:
        """Write bids, books, held power and events, and commit, in one round trip."""
        async with connection.pipeline():
            for statement, parameters in self.statements(decisions):
                await connection.execute(statement, parameters)
            await connection.commit()

    def statements(self, decisions: Decisions) -> Iterator[tuple[LiteralString, Any]]:
        """Yield the statements, with their parameters, that write what was decided."""
        books = [decisions.books_changed[i] for i in sorted(decisions.books_changed)]
        power = sorted(decisions.power_changed.items())
        yield _queries["insert_bids"], _bid_columns([placed for placed, _ in decisions.placed])
        yield _queries["update_books_after_bids"], _book_columns(books)
        if power:
            yield _queries["update_held_power"], _power_columns(power)
        yield APPEND_SQL, append_parameters(self._events(decisions))

    def _events(self, decisions: Decisions) -> list[OutboxEvent]:
        events: list[OutboxEvent] = []
        for placed, extended in decisions.placed:
            auction_id, epoch = placed.auction_id, placed.epoch
            events.append(
                bid_placed_event(
                    auction_id=auction_id,
                    epoch=epoch,
                    terms=placed.terms,
                    event=placed.event,
                    aliases=self._aliases,
                    traceparent=self._traces.get(
                        (placed.event.bidder_id, placed.event.request_id), ""
                    ),
                )
            )
            if extended is not None:
                events.append(extended_event(auction_id=auction_id, epoch=epoch, event=extended))
        return events


class ShardLanes:
    """The lanes of all shards: a bid goes to the one that keeps its auction."""

    def __init__(self, *, shards: Shards, aliases: Aliases) -> None:
        self._shards = shards
        self._lanes = {s.number: BidLane(shard=s, aliases=aliases) for s in shards}

    async def place(self, bid: Bid) -> PlacedBid:
        """Commit a bid on its auction's shard, or raise why it is refused."""
        return await self._lanes[self._shards.of(bid.auction_id).number].place(bid)


def _only(row: tuple[Any, ...] | None) -> Any:
    if row is None:
        raise psycopg.DataError("a row was expected")
    return row[0]


def _bid_columns(placed: Sequence[PlacedBid]) -> list[str]:
    """Return the arrays that ``insert_bids`` takes."""
    events = [bid.event for bid in placed]
    return [
        arrays.ids([bid.auction_id for bid in placed]),
        arrays.integers([event.sequence for event in events]),
        arrays.integers([bid.epoch for bid in placed]),
        arrays.ids([event.bid_id for event in events]),
        arrays.ids([event.bidder_id for event in events]),
        arrays.ids([event.request_id for event in events]),
        arrays.integers([event.maximum_minor for event in events]),
        arrays.integers([event.price_minor for event in events]),
        arrays.ids([event.leader_id for event in events]),
        arrays.integers([event.bid_count for event in events]),
        arrays.times([event.ends_at for event in events]),
        arrays.times([event.occurred_at for event in events]),
        arrays.octets([event.record_hash for event in events]),
    ]


def _book_columns(books: Sequence[Book]) -> list[str]:
    """Return the arrays that ``update_books_after_bids`` takes."""
    return [
        arrays.ids([book.auction_id for book in books]),
        arrays.integers([book.sequence for book in books]),
        arrays.integers([book.price_minor for book in books]),
        arrays.ids([book.leader_id for book in books]),
        arrays.integers([book.leader_maximum_minor for book in books]),
        arrays.integers([book.held_minor for book in books]),
        arrays.integers([book.bid_count for book in books]),
        arrays.integers([book.extension_count for book in books]),
        arrays.times([book.ends_at for book in books]),
        arrays.octets([book.log_head for book in books]),
    ]


def _power_columns(power: Sequence[tuple[PowerKey, Power]]) -> list[str]:
    """Return the arrays that ``update_held_power`` takes."""
    return [
        arrays.ids([bidder_id for (bidder_id, _), _ in power]),
        arrays.texts([currency_code for (_, currency_code), _ in power]),
        arrays.integers([row.allotted_minor for _, row in power]),
        arrays.integers([row.held_minor for _, row in power]),
    ]
