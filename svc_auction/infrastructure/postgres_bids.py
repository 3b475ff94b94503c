"""Batches of bids in Postgres: lock what they are decided on, and write what was decided.

One round trip locks and reads, one writes and commits, however many bids there are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg

from servicekit import arrays
from servicekit.events.outbox import APPEND_SQL, OutboxEvent, append_parameters
from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.decide_bids import Bench, Decisions, Power, PowerKey
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.auction import Book, State, Terms
from svc_auction.domain.bidding import Bid
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.event_mapping import bid_placed_event, extended_event
from svc_auction.infrastructure.rows import to_bid_placed, to_book, to_terms

TERMS_CACHED_MAX = 50_000

Traces = Mapping[tuple[str, str], str]
"""Trace contexts (W3C) by bidder and request id, of sampled calls only."""

_queries = load("svc_auction.infrastructure", "queries.sql")


class PostgresBids:
    """The bids of one shard; it remembers the terms of live auctions, which are frozen."""

    def __init__(self, *, aliases: Aliases) -> None:
        self._aliases = aliases
        self._terms: dict[str, Terms] = {}

    async def lock(self, connection: Connection, bids: Sequence[Bid]) -> Bench:
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

    async def write(self, connection: Connection, decisions: Decisions, traces: Traces) -> None:
        """Write bids, books, held power and events, and commit, in one round trip.

        ``traces`` are the trace contexts of sampled bids.
        """
        async with connection.pipeline():
            for statement, parameters in self.statements(decisions, traces):
                await connection.execute(statement, parameters)
            await connection.commit()

    def statements(
        self, decisions: Decisions, traces: Traces
    ) -> Iterator[tuple[LiteralString, Any]]:
        """Yield the statements, with their parameters, that write what was decided."""
        books = [decisions.books_changed[i] for i in sorted(decisions.books_changed)]
        power = sorted(decisions.power_changed.items())
        yield _queries["insert_bids"], _bid_columns([placed for placed, _ in decisions.placed])
        yield _queries["update_books_after_bids"], _book_columns(books)
        if power:
            yield _queries["update_held_power"], _power_columns(power)
        yield APPEND_SQL, append_parameters(self._events(decisions, traces))

    def _events(self, decisions: Decisions, traces: Traces) -> list[OutboxEvent]:
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
                    traceparent=traces.get((placed.event.bidder_id, placed.event.request_id), ""),
                )
            )
            if extended is not None:
                events.append(extended_event(auction_id=auction_id, epoch=epoch, event=extended))
        return events


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
