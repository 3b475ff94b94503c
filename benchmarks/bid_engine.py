"""The bid engine alone, use case and Postgres without gRPC: the lane against a lock for each bid.

Both run the same rules on the same schema, durably. The lock-per-bid design is the one that is
drawn everywhere: a transaction a bid, statement by statement, that locks the auction's row first.
It lives here only.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kernel.errors import BlytzError
from kernel.ids import new_id
from servicekit.events.outbox import append
from servicekit.postgres import Connection, Database
from servicekit.queries import load
from svc_auction.application.decide_bids import Bench, Decisions, Power, decide_bids
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.bid_lane import BidLane
from svc_auction.infrastructure.event_mapping import bid_placed_event
from svc_auction.infrastructure.rows import to_book, to_terms
from svc_auction.infrastructure.shards import Shard

WAITING_BIDDERS = 256
BIDDERS = 1_000
LOCK_CONNECTIONS = 32
CURRENCY = "USD"

_queries = load("svc_auction.infrastructure", "bids.sql")

_LOCK_BOOK = """
select auction_id, state, outcome, epoch, sequence, price_minor, leader_id, leader_maximum_minor,
       held_minor, bid_count, extension_count, starts_at, ends_at, announced_end_at, paused_at,
       paused_for, ending_soon_at, log_head
from books where auction_id = %s for update
"""
_LOCK_POWER = """
select bidder_id, currency_code, allotted_minor, held_minor from bidding_power
where bidder_id = %s or bidder_id = (select leader_id from books where auction_id = %s)
order by bidder_id for update
"""
_INSERT_BID = """
insert into bids values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_UPDATE_BOOK = """
update books set sequence = %s, price_minor = %s, leader_id = %s, leader_maximum_minor = %s,
       held_minor = %s, bid_count = %s, ends_at = %s, log_head = %s
where auction_id = %s
"""
_UPDATE_POWER = """
update bidding_power set held_minor = %s, used_at = clock_timestamp()
where bidder_id = %s and currency_code = %s
"""

Place = Callable[[Bid], Awaitable[PlacedBid]]


class NoRelay:
    """Stands where the relay would be woken: the engine alone sends nothing."""

    def wake(self) -> None:
        """Do nothing: the rows wait in the outbox."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Live auctions and funded bidders in a database."""

    shard: Shard
    auction_ids: Sequence[str]
    bidder_ids: Sequence[str]
    next_maximum: dict[str, "itertools.count[int]"]

    def next_bid(self, number: int) -> Bid:
        """Return the ``number``-th bid: auctions and bidders in turn, each bid above the last."""
        auction_id = self.auction_ids[number % len(self.auction_ids)]
        return Bid(
            request_id=new_id(),
            auction_id=auction_id,
            bidder_id=self.bidder_ids[number * 7 % len(self.bidder_ids)],
            currency_code=CURRENCY,
            maximum_minor=next(self.next_maximum[auction_id]),
        )


@asynccontextmanager
async def open_floor(url: str, *, auctions: int) -> AsyncIterator[Floor]:
    """Fill a migrated database with live auctions and funded bidders."""
    async with Database.open(url, pool_max=LOCK_CONNECTIONS) as database:
        auction_ids = [new_id() for _ in range(auctions)]
        bidder_ids = [new_id() for _ in range(BIDDERS)]
        async with database.transaction() as connection:
            await fill(connection, auction_ids, bidder_ids)
        shard = Shard(0, database, NoRelay())  # type: ignore[arg-type]  # nothing is sent here
        yield Floor(shard, auction_ids, bidder_ids, {i: itertools.count(100) for i in auction_ids})


async def fill(
    connection: Connection, auction_ids: Sequence[str], bidder_ids: Sequence[str]
) -> None:
    """Write live auctions with a ladder of one cent, and bidders with ample power."""
    await connection.execute("truncate auctions, books, bids, bidding_power, watches, outbox")
    await connection.execute(
        """
        insert into auctions
        select id, gen_random_uuid(), 'Seller', gen_random_uuid(), '', 'Lot', '', '', 'USD', 100,
               null, '{0}', '{1}', null, null, null, 1, now()
        from unnest(%s::uuid[]) as id
        """,
        (list(auction_ids),),
    )
    await connection.execute(
        """
        insert into books (auction_id, state, sequence, price_minor, starts_at, ends_at)
        select id, 3, 2, 100, now(), %s from unnest(%s::uuid[]) as id
        """,
        (datetime.now(UTC) + timedelta(days=1), list(auction_ids)),
    )
    await connection.execute(
        "insert into bidding_power select id, 'USD', 1000000000000 from unnest(%s::uuid[]) as id",
        (list(bidder_ids),),
    )


def lane_of(floor: Floor) -> Place:
    """Return the engine under test."""
    return BidLane(shard=floor.shard, aliases=Aliases("benchmark")).place


def lock_per_bid(floor: Floor) -> Place:
    """Return the design to compare with: one transaction a bid, statement by statement."""
    aliases = Aliases("benchmark")
    admitted = asyncio.Semaphore(LOCK_CONNECTIONS)

    async def place(bid: Bid) -> PlacedBid:
        async with admitted, floor.shard.transaction() as connection:
            bench = await _locked(connection, bid)
            decisions = decide_bids([bid], bench)
            verdict = decisions.verdicts[0]
            if isinstance(verdict, BlytzError):
                raise verdict
            await _written(connection, decisions, aliases)
        return verdict

    return place


async def _locked(connection: Connection, bid: Bid) -> Bench:
    books = await connection.execute(_LOCK_BOOK, [bid.auction_id])
    book_rows = await books.fetchall()
    terms = await connection.execute(_queries["select_terms"], [[bid.auction_id]])
    term_rows = await terms.fetchall()
    await connection.execute(_queries["select_recorded_bids"], [[bid.bidder_id], [bid.request_id]])
    power = await connection.execute(_LOCK_POWER, [bid.bidder_id, bid.auction_id])
    clock = await connection.execute("select clock_timestamp()")
    now = await clock.fetchone()
    return Bench(
        now=now[0] if now else datetime.now(UTC),
        terms={row[0]: to_terms(row[1:]) for row in term_rows},
        books={row[0]: to_book(row) for row in book_rows},
        power={(r[0], r[1]): Power(r[2], r[3]) for r in await power.fetchall()},
    )


async def _written(connection: Connection, decisions: Decisions, aliases: Aliases) -> None:
    placed, _ = decisions.placed[0]
    event, book = placed.event, decisions.books_changed[placed.auction_id]
    await connection.execute(
        _INSERT_BID,
        [
            *(placed.auction_id, event.sequence, placed.epoch, event.bid_id, event.bidder_id),
            *(event.request_id, event.maximum_minor, event.price_minor, event.leader_id),
            *(event.bid_count, event.ends_at, event.occurred_at, event.record_hash),
        ],
    )
    await connection.execute(
        _UPDATE_BOOK,
        [
            *(book.sequence, book.price_minor, book.leader_id, book.leader_maximum_minor),
            *(book.held_minor, book.bid_count, book.ends_at, book.log_head, book.auction_id),
        ],
    )
    for (bidder_id, currency_code), power in decisions.power_changed.items():
        await connection.execute(_UPDATE_POWER, [power.held_minor, bidder_id, currency_code])
    published = bid_placed_event(
        auction_id=placed.auction_id,
        epoch=placed.epoch,
        terms=placed.terms,
        event=event,
        aliases=aliases,
    )
    await append(connection, [published])


async def bids_per_s(place: Place, floor: Floor, *, seconds: float) -> float:
    """Keep ``WAITING_BIDDERS`` bids waiting; return how many were decided a second."""
    numbers = itertools.count()
    decided = 0
    until_s = time.perf_counter() + seconds

    async def bidder() -> None:
        nonlocal decided
        while time.perf_counter() < until_s:
            try:
                await place(floor.next_bid(next(numbers)))
            except BlytzError as refusal:
                if refusal.reason != "BID_TOO_LOW":
                    raise
            decided += 1

    started_s = time.perf_counter()
    await asyncio.gather(*(bidder() for _ in range(WAITING_BIDDERS)))
    return decided / (time.perf_counter() - started_s)
