"""Retractions in Postgres: the book is locked, then the spending rows in id order, as in a lane.

Everything is one transaction of the auction's shard: the records of the log, the bids that no
longer count, the book, what is held, and the events.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import errors as postgres_errors

from kernel.errors import RequestIdReused
from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.decide_retraction import (
    RetractionBench,
    decide_retraction,
    heir_ids,
)
from svc_auction.application.ports import Retraction
from svc_auction.domain.auction import Auction
from svc_auction.domain.errors import AuctionNotFound
from svc_auction.domain.events import BidPlaced, BidsRetracted
from svc_auction.domain.retraction import Wish, bids_to_retract, without
from svc_auction.domain.terms import Terms
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.holds import change_holds
from svc_auction.infrastructure.rows import Row, to_auction, to_bid_placed
from svc_auction.infrastructure.shard_change import ShardChange
from svc_auction.infrastructure.shards import Shard, Shards

ATTEMPTS_MAX = 5
_RETRYABLE = (
    postgres_errors.DeadlockDetected,
    postgres_errors.SerializationFailure,
    postgres_errors.UniqueViolation,
)

_queries = load("svc_auction.infrastructure", "retractions.sql")
_auction_queries = load("svc_auction.infrastructure", "queries.sql")
_bid_queries = load("svc_auction.infrastructure", "bids.sql")


class PostgresRetractions:
    """The port ``Retractions``, on whatever shard the auction is."""

    def __init__(self, *, shards: Shards, aliases: Aliases) -> None:
        self._shards = shards
        self._aliases = aliases

    async def retract(self, wish: Wish, *, uncovered_ids: frozenset[str]) -> Retraction:
        """Commit a retraction; a collision with another transaction starts it over."""
        shard = self._shards.of(wish.auction_id)
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                async with shard.transaction() as connection:
                    retraction = await self._retract(shard, connection, wish, uncovered_ids)
            except _RETRYABLE:
                if attempt == ATTEMPTS_MAX:
                    raise
            else:
                break
        shard.relay.wake()
        return retraction

    async def _retract(
        self, shard: Shard, connection: Connection, wish: Wish, uncovered_ids: frozenset[str]
    ) -> Retraction:
        found = await connection.execute(_auction_queries["lock_auction"], (wish.auction_id,))
        row = await found.fetchone()
        if row is None:
            raise AuctionNotFound
        auction = to_auction(row)
        if (earlier := await _recorded(connection, wish, auction.terms)) is not None:
            return earlier
        clock = await connection.execute(_auction_queries["database_time"])
        ((now,),) = await clock.fetchall()
        bench = await _lock_bench(connection, auction, wish, now, uncovered_ids)
        change = ShardChange(
            auctions=[auction],
            now=now,
            aliases=self._aliases,
            announcements=shard.announcements,
        )
        for event in decide_retraction(wish, bench, uncovered_ids):
            change.record(event)
            await _write(connection, auction, event, wish)
        if auction.terms.format.sealed:
            await _lower_sealed(connection, auction, wish, without(bench.standing, bench.gone))
        await change.save(connection)
        return Retraction(wish.auction_id, auction.book.epoch, auction.terms, event)


async def _recorded(connection: Connection, wish: Wish, terms: Terms) -> Retraction | None:
    """Return the answer that the same request had before.

    The book is locked, so a copy of the request that is under way has either ended or not begun.
    """
    key = (wish.bidder_id, wish.request_id)
    found = await connection.execute(_queries["select_recorded_retraction"], key)
    row = await found.fetchone()
    if row is None:
        used = await connection.execute(_queries["is_bids_request"], key)
        if await used.fetchone() == (True,):
            raise RequestIdReused
        return None
    if (row[0], row[6], row[7]) != (wish.auction_id, wish.reason, wish.bid_id):
        raise RequestIdReused
    return Retraction(row[0], row[2], terms, _to_bids_retracted(row))


async def _lock_bench(
    connection: Connection,
    auction: Auction,
    wish: Wish,
    now: datetime,
    uncovered_ids: frozenset[str],
) -> RetractionBench:
    """Lock and read what the retraction is decided on; raises why it is refused."""
    terms, book = auction.terms, auction.book
    found = await connection.execute(_queries["list_standing_bids"], (wish.auction_id,))
    standing = [to_bid_placed(row) for row in await found.fetchall()]
    gone = bids_to_retract(auction, standing, wish, now)
    bidder_ids = sorted(
        heir_ids(auction, standing, gone, uncovered_ids)
        | {wish.bidder_id, book.leader_id or wish.bidder_id}
    )
    found = await connection.execute(_queries["lock_power"], (bidder_ids,))
    power = {(row[0], row[1]): row[2] for row in await found.fetchall()}
    return RetractionBench(
        now=now,
        auction=auction,
        standing=standing,
        gone=gone,
        free_minor={i: power.get((i, terms.currency_code), 0) for i in bidder_ids},
        committed_minor=await _lock_committed(connection, terms, bidder_ids),
    )


async def _lock_committed(
    connection: Connection, terms: Terms, bidder_ids: Sequence[str]
) -> dict[str, int]:
    """Return what bidders are committed to in the auction's show, if that has a limit."""
    if terms.bidder_limit_minor is None or terms.show_id is None:
        return {}
    await connection.execute(_bid_queries["lock_show_limits"], ([terms.show_id],))
    found = await connection.execute(
        _bid_queries["select_committed"],
        {"show_ids": [terms.show_id], "bidder_ids": list(bidder_ids)},
    )
    return {row[1]: row[2] for row in await found.fetchall()}


async def _write(
    connection: Connection, auction: Auction, event: BidsRetracted, wish: Wish
) -> None:
    wished = event.request_id == wish.request_id
    await connection.execute(
        _queries["insert_retractions"],
        {
            "auction_id": auction.listing.auction_id,
            "sequence": event.sequence,
            "epoch": auction.book.epoch,
            "retraction_id": event.retraction_id,
            "bidder_id": event.bidder_id,
            "request_id": event.request_id,
            "reason": event.reason,
            "bid_id": wish.bid_id if wished else None,
            "bid_ids": list(event.bid_ids),
            "sequences": list(event.sequences),
            "price_minor": event.price_minor,
            "leader_id": event.leader_id,
            "retracted_at": event.occurred_at,
            "record_hash": event.record_hash,
            "salt": event.salt,
        },
    )
    await connection.execute(
        _queries["mark_retracted"],
        (event.occurred_at, auction.listing.auction_id, list(event.sequences)),
    )


async def _lower_sealed(
    connection: Connection, auction: Auction, wish: Wish, standing: Sequence[BidPlaced]
) -> None:
    """Let the highest maximum that the bidder still has count, and release the rest."""
    key = (wish.auction_id, wish.bidder_id)
    found = await connection.execute(_queries["select_sealed_hold"], key)
    ((held_minor,),) = await found.fetchall()
    own_minor = [bid.maximum_minor for bid in standing if bid.bidder_id == wish.bidder_id]
    still_held_minor = max(own_minor, default=0) if held_minor else 0
    if own_minor:
        await connection.execute(
            _queries["lower_sealed_bid"],
            {
                "auction_id": wish.auction_id,
                "bidder_id": wish.bidder_id,
                "maximum_minor": max(own_minor),
                "held_minor": still_held_minor,
            },
        )
    else:
        await connection.execute(_queries["delete_sealed_bid"], key)
    power_key = (wish.bidder_id, auction.terms.currency_code)
    await change_holds(connection, [(power_key, held_minor - still_held_minor)])


def _to_bids_retracted(row: Row) -> BidsRetracted:
    """Return a record of the bid log from the columns of ``select_recorded_retraction``."""
    facts: dict[str, Any] = {
        "sequence": row[1],
        "occurred_at": row[12],
        "retraction_id": row[3],
        "request_id": row[5],
        "bidder_id": row[4],
        "reason": row[6],
        "bid_ids": tuple(row[8]),
        "sequences": tuple(row[9]),
        "price_minor": row[10],
        "leader_id": row[11],
        "record_hash": row[13],
    }
    return BidsRetracted(**facts)
