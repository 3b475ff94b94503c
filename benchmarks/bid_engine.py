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
from servicekit.postgres import Connection, Database
from servicekit.queries import load
from svc_auction.application.decide_bids import Bench, Decisions, Power, decide_bids
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.bid_lane import BidLane
from svc_auction.infrastructure.postgres_bids import PostgresBids
from svc_auction.infrastructure.rows import to_book, to_terms
from svc_auction.infrastructure.shards import Shard

WAITING_BIDDERS = 256
BIDDERS = 1_000
LOCK_CONNECTIONS = 32
CURRENCY = "USD"

_queries = load("svc_auction.infrastructure", "queries.sql")

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
    await connection.execute("truncate auctions, books, bids, bidding_power, outbox")
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
    bids = PostgresBids(aliases=Aliases("benchmark"))
    admitted = asyncio.Semaphore(LOCK_CONNECTIONS)

    async def place(bid: Bid) -> PlacedBid:
        async with admitted, floor.shard.transaction() as connection:
            bench = await _locked(connection, bid)
            decisions = decide_bids([bid], bench)
            verdict = decisions.verdicts[0]
            if isinstance(verdict, BlytzError):
                raise verdict
            await _written(connection, bids, decisions)
        return verdict

    return place


async def _locked(connection: Connection, bid: Bid) -> Bench:
    books = await connection.execute(_queries["lock_books"], ([bid.auction_id],))
    book_rows = await books.fetchall()
    clock = await connection.execute(_queries["database_time"])
    now = await clock.fetchone()
    terms = await connection.execute(_queries["select_terms"], ([bid.auction_id],))
    term_rows = await terms.fetchall()
    await connection.execute(_queries["select_recorded_bids"], ([bid.bidder_id], [bid.request_id]))
    power = await connection.execute(
        _queries["lock_bidding_power"], ([bid.bidder_id], [bid.auction_id])
    )
    return Bench(
        now=now[0] if now else datetime.now(UTC),
        terms={row[0]: to_terms(row[1:]) for row in term_rows},
        books={row[0]: to_book(row) for row in book_rows},
        power={(r[0], r[1]): Power(r[2], r[3]) for r in await power.fetchall()},
        recorded={},
    )


async def _written(connection: Connection, bids: PostgresBids, decisions: Decisions) -> None:
    for statement, parameters in bids.statements(decisions, {}):
        await connection.execute(statement, parameters)


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
