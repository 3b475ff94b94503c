"""Shards on a real Postgres: live auctions, bidders with power, and an audit of what came of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from blytz.events.v1.event_pb2 import Event
from fakes.auction_books import terms_of
from kernel.ids import new_id
from servicekit.migrations import upgrade
from stack.parts.postgres import Postgres
from svc_auction.application.ports import NewAuction
from svc_auction.domain.auction import Auction
from svc_auction.domain.bid_log import record_hash
from svc_auction.domain.terms import Terms
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import Shard, Shards, open_shards

MIGRATIONS = "svc_auction.infrastructure.migrations"
ALIASES = Aliases("a key")
NOWHERE = "127.0.0.1:1"


def auction_database(postgres: Postgres) -> str:
    """Return the address of a new migrated database."""
    url = postgres.create_database("auction")
    upgrade(url, MIGRATIONS)
    return url


@asynccontextmanager
async def shards_on(
    urls: Mapping[int, str] | str, *, open_numbers: Sequence[int] = (), pool_max: int = 6
) -> AsyncIterator[Shards]:
    """Open shards whose relays do not run."""
    async with open_shards(
        {0: urls} if isinstance(urls, str) else urls,
        open_numbers=frozenset(open_numbers),
        kafka_bootstrap=NOWHERE,
        pool_max=pool_max,
    ) as shards:
        yield shards


def only(shards: Shards) -> Shard:
    (shard,) = shards
    return shard


def auctions_on(shards: Shards) -> PostgresAuctions:
    return PostgresAuctions(shards=shards, aliases=ALIASES)


def new_auction(terms: Terms | None = None, **changes: Any) -> NewAuction:
    facts: dict[str, Any] = {
        "request_id": new_id(),
        "body_hash": b"\x01" * 32,
        "seller_name": "Sue's shop",
        "title": "A watch",
        "description": "It ticks.",
        "image_url": "/w.jpg",
        "terms": terms or terms_of(seller_id=new_id()),
    }
    return NewAuction(**facts | changes)


def request_id_for(shards: Shards, number: int) -> str:
    """Return the id of a request that creates its auction on a given shard."""
    return next(key for key in iter(new_id, "") if shards.for_new(key).number == number)


async def live_auction(
    auctions: PostgresAuctions,
    terms: Terms | None = None,
    *,
    minutes: float = 60,
    request_id: str = "",
) -> str:
    """Create and start an auction; return its id."""
    draft = await auctions.create(new_auction(terms, request_id=request_id or new_id()))
    auction_id = draft.listing.auction_id
    async with auctions.change(auction_id) as change:
        ends_at = change.now + timedelta(minutes=minutes)
        change.record(change.auction.start(now=change.now, ends_at=ends_at))
    return auction_id


async def end_in(shard: Shard, auction_id: str, seconds: float) -> None:
    """Move the end of a live auction, sooner than any seller may."""
    async with shard.transaction() as connection:
        await connection.execute(
            "update books set ends_at = clock_timestamp() + make_interval(secs => %s)"
            " where auction_id = %s",
            (seconds, auction_id),
        )


async def give_power(
    shard: Shard, bidder_ids: Sequence[str], amount_minor: int, *, currency_code: str = "USD"
) -> None:
    async with shard.transaction() as connection:
        await connection.execute(
            "insert into bidding_power (bidder_id, currency_code, allotted_minor)"
            " select id, %s, %s from unnest(%s::uuid[]) as id",
            (currency_code, amount_minor, list(bidder_ids)),
        )


async def power_of(shard: Shard, bidder_id: str) -> tuple[int, int]:
    """Return what a bidder was allotted and what of it is held, in minor units of USD."""
    rows = await rows_of(
        shard,
        "select allotted_minor, held_minor from bidding_power"
        " where bidder_id = %s and currency_code = 'USD'",
        bidder_id,
    )
    return (rows[0][0], rows[0][1]) if rows else (0, 0)


async def rows_of(shard: Shard, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    async with shard.transaction() as connection:
        found = await connection.execute(query.encode(), parameters)
        return await found.fetchall()


async def events_of(shard: Shard, auction_id: str) -> list[Event]:
    """Return the events of an auction in the order in which the relay would send them."""
    rows = await rows_of(
        shard,
        "select payload from outbox"
        " where partition_key = %s and topic = 'auction.events' order by id",
        auction_id,
    )
    return [Event.FromString(row[0]) for row in rows]


async def audit(shard: Shard, auctions: PostgresAuctions, auction_ids: Sequence[str]) -> None:
    """Check the invariants of auctions, their logs and events, and of all held power."""
    for auction_id in auction_ids:
        await _audit_auction(shard, await auctions.get(auction_id))
    wrong = await rows_of(
        shard,
        "select p.bidder_id, p.currency_code, p.held_minor, h.held_minor from bidding_power as p"
        " full join (select b.leader_id, a.currency_code, sum(b.held_minor) as held_minor"
        "            from books as b join auctions as a using (auction_id)"
        "            where b.held_minor > 0 group by 1, 2) as h"
        " on h.leader_id = p.bidder_id and h.currency_code = p.currency_code"
        " where coalesce(h.held_minor, 0) is distinct from p.held_minor"
        " or p.held_minor > p.allotted_minor",
    )
    assert wrong == []


async def _audit_auction(shard: Shard, auction: Auction) -> None:
    auction_id, book = auction.listing.auction_id, auction.book
    events = await events_of(shard, auction_id)
    assert [event.sequence for event in events] == list(range(1, book.sequence + 1))
    log = await rows_of(
        shard,
        "select sequence, bid_id, bidder_id, maximum_minor, price_minor, placed_at, record_hash,"
        " leader_id, bid_count, salt from bids where auction_id = %s order by sequence",
        auction_id,
    )
    placed = {e.sequence: e.bid_placed.bid.bid_id for e in events if e.type == "bid.placed"}
    assert placed == {row[0]: row[1] for row in log}
    head, highest, price_minor = b"", None, auction.terms.opening_minor
    for number, row in enumerate(log, start=1):
        head = record_hash(
            previous=head,
            auction_id=auction_id,
            sequence=row[0],
            bid_id=row[1],
            bidder_id=row[2],
            maximum_minor=row[3],
            price_minor=row[4],
            placed_at=row[5],
            salt=row[9],
        )
        assert (row[6], row[8]) == (head, number)
        assert row[4] >= price_minor
        price_minor = row[4]
        if highest is None or row[3] > highest[1]:
            highest = (row[2], row[3])
        assert row[7] == highest[0]
    assert (book.log_head, book.bid_count) == (head, len(log))
    assert (book.leader_id, book.leader_maximum_minor) == (highest or (None, 0))
    assert book.price_minor == price_minor


def utc_now() -> datetime:
    return datetime.now(UTC)
