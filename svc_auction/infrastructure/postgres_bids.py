"""Batches of bids in Postgres: lock what they are decided on, and write what was decided.

One round trip locks and reads, one writes and commits, however many bids there are.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, LiteralString

from servicekit import arrays
from servicekit.events.outbox import APPEND_SQL, OutboxEvent, append_parameters
from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.decide_bids import Bar, Bench, Decisions, Power, PowerKey
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.domain.book import Book, State
from svc_auction.domain.terms import Funding, Terms
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.event_mapping import (
    Outbid,
    bid_placed_event,
    follow_up_event,
    outbid_events,
)
from svc_auction.infrastructure.holds import settle
from svc_auction.infrastructure.rows import to_bid_placed, to_book, to_terms

TERMS_CACHED_MAX = 50_000

Traces = Mapping[tuple[str, str], str]
"""Trace contexts (W3C) by bidder and request id, of sampled calls only."""

_queries = load("svc_auction.infrastructure", "bids.sql")


class PostgresBids:
    """The bids of one shard; it remembers the terms of live auctions, which are frozen."""

    def __init__(self, *, aliases: Aliases) -> None:
        self._aliases = aliases
        self._terms: dict[str, Terms] = {}

    async def lock(self, connection: Connection, bids: Sequence[Bid]) -> Bench:
        """Lock and read all that a batch is decided on, in one round trip."""
        auction_ids = sorted({bid.auction_id for bid in bids})
        bidder_ids = arrays.ids([bid.bidder_id for bid in bids])
        request_ids = arrays.ids([bid.request_id for bid in bids])
        locked_ids = arrays.ids(auction_ids)
        async with connection.pipeline():
            books = await connection.execute(_queries["lock_books"], [locked_ids])
            read = await connection.execute(
                _queries["read_bench"],
                [bidder_ids, locked_ids, bidder_ids, request_ids, bidder_ids],
            )
            book_rows = await books.fetchall()
            now, recorded, barred, power_rows = await read.fetchone() or (None, False, False, [])
        bench = Bench(
            now=now,
            books={row[0]: to_book(row) for row in book_rows},
            terms=self._known_terms(auction_ids),
            power={(row[0], row[1]): Power(row[2], row[3]) for row in power_rows},
            recorded={},
        )
        if len(bench.terms) < len(bench.books):
            await self._learn_terms(connection, bench, bench.books.keys())
            self._remember(bench)
        if recorded:
            await self._recall(connection, bench, bidder_ids, request_ids)
        if barred:
            found = await connection.execute(_queries["select_bars"], [bidder_ids])
            bench.bars = {(row[0], row[1]): Bar(row[2]) for row in await found.fetchall()}
        await self._look_up(connection, bench, bids)
        return bench

    async def _look_up(self, connection: Connection, bench: Bench, bids: Sequence[Bid]) -> None:
        """Put on the bench what only some terms need: sealed bids, cards, shows' commitments."""
        sealed_ids, show_ids, asks_for_cards = [], set[str](), False
        for auction_id, terms in bench.terms.items():
            if terms.format.sealed:
                sealed_ids.append(auction_id)
            if terms.bidder_limit_minor is not None and terms.show_id is not None:
                show_ids.add(terms.show_id)
            asks_for_cards |= terms.funding is Funding.SAVED_CARD
        bidder_ids = [bid.bidder_id for bid in bids]
        if sealed_ids:
            found = await connection.execute(
                _queries["select_sealed_bids"], (sealed_ids, bidder_ids)
            )
            bench.sealed_minor = {(row[0], row[1]): row[2] for row in await found.fetchall()}
        if asks_for_cards:
            found = await connection.execute(_queries["select_card_holders"], (bidder_ids,))
            bench.card_holders = {row[0] for row in await found.fetchall()}
        if show_ids:
            await connection.execute(_queries["lock_show_limits"], (sorted(show_ids),))
            leader_ids = [book.leader_id for book in bench.books.values() if book.leader_id]
            found = await connection.execute(
                _queries["select_committed"],
                {"show_ids": sorted(show_ids), "bidder_ids": bidder_ids + leader_ids},
            )
            bench.committed_minor = {(row[0], row[1]): row[2] for row in await found.fetchall()}

    async def _learn_terms(
        self, connection: Connection, bench: Bench, auction_ids: Collection[str]
    ) -> None:
        missing_ids = arrays.ids(sorted(auction_ids - bench.terms.keys()))
        found = await connection.execute(_queries["select_terms"], [missing_ids])
        bench.terms.update({row[0]: to_terms(row[1:]) for row in await found.fetchall()})

    async def _recall(
        self, connection: Connection, bench: Bench, bidder_ids: str, request_ids: str
    ) -> None:
        """Put earlier answers on the bench, for requests that come again."""
        found = await connection.execute(
            _queries["select_recorded_bids"], [bidder_ids, request_ids]
        )
        rows = await found.fetchall()
        await self._learn_terms(connection, bench, {row[0] for row in rows})
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
            await connection.execute(*self.statement(decisions, traces))
            if decisions.sealed_changed:
                await connection.execute(
                    _queries["write_sealed_bids"],
                    _sealed_columns(list(decisions.sealed_changed.values())),
                )
            if decisions.won:
                await settle(connection, decisions.won)
            await connection.commit()

    def statement(self, decisions: Decisions, traces: Traces) -> tuple[LiteralString, list[str]]:
        """Return the statement, with its parameters, that writes what was decided."""
        books = [decisions.books_changed[i] for i in sorted(decisions.books_changed)]
        return _queries["write_batch"] + " " + APPEND_SQL, [
            *_bid_columns([placed for placed, _ in decisions.placed]),
            *_book_columns(books),
            *_power_columns(sorted(decisions.power_changed.items())),
            *append_parameters(self._events(decisions, traces)),
        ]

    def _events(self, decisions: Decisions, traces: Traces) -> list[OutboxEvent]:
        events: list[OutboxEvent] = []
        for placed, follow_up in decisions.placed:
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
            if follow_up is not None:
                events.append(follow_up_event(placed, follow_up, self._aliases))
        if outbid := _outbid(decisions):
            events += outbid_events(outbid, decisions.placed[-1][0].event.occurred_at)
        return events


def _outbid(decisions: Decisions) -> list[Outbid]:
    """Return who led before the batch and does no longer, in auctions that go on and tell it."""
    terms = {placed.auction_id: placed.terms for placed, _ in decisions.placed}
    return [
        (book, terms[auction_id], outbid_id)
        for auction_id, outbid_id in decisions.leaders_before.items()
        if outbid_id is not None
        and (book := decisions.books_changed[auction_id]).leader_id != outbid_id
        and book.is_open
        and not terms[auction_id].format.sealed
    ]


def _bid_columns(placed: Sequence[PlacedBid]) -> list[str]:
    """Return the arrays of the bid log's new records."""
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
        arrays.booleans([event.won for event in events]),
        arrays.octets([event.salt for event in events]),
    ]


def _book_columns(books: Sequence[Book]) -> list[str]:
    """Return the arrays of what changed in the books."""
    return [
        arrays.ids([book.auction_id for book in books]),
        arrays.integers([book.state for book in books]),
        arrays.integers([book.outcome for book in books]),
        arrays.integers([book.sequence for book in books]),
        arrays.integers([book.price_minor for book in books]),
        arrays.ids([book.leader_id for book in books]),
        arrays.integers([book.leader_maximum_minor for book in books]),
        arrays.integers([book.held_minor for book in books]),
        arrays.integers([book.bid_count for book in books]),
        arrays.integers([book.extension_count for book in books]),
        arrays.times([book.ends_at for book in books]),
        arrays.times([book.ending_soon_at for book in books]),
        arrays.octets([book.log_head for book in books]),
    ]


def _sealed_columns(placed: Sequence[PlacedBid]) -> list[list[Any]]:
    """Return the arrays of bidders' highest maxima in sealed auctions, and what is held of them."""
    maxima_minor = [bid.event.maximum_minor for bid in placed]
    return [
        [bid.auction_id for bid in placed],
        [bid.event.bidder_id for bid in placed],
        [bid.terms.currency_code for bid in placed],
        maxima_minor,
        [
            maximum_minor if bid.terms.funding is Funding.WALLET_HOLD else 0
            for bid, maximum_minor in zip(placed, maxima_minor, strict=True)
        ],
    ]


def _power_columns(power: Sequence[tuple[PowerKey, Power]]) -> list[str]:
    """Return the arrays of what is held now."""
    return [
        arrays.ids([bidder_id for (bidder_id, _), _ in power]),
        arrays.texts([currency_code for (_, currency_code), _ in power]),
        arrays.integers([row.held_minor for _, row in power]),
    ]
