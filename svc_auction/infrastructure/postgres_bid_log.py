"""Bid logs in Postgres: read through a server-side cursor, and single bids for their receipts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.ports import RecordedBid
from svc_auction.domain.auction import Auction
from svc_auction.domain.errors import AuctionNotFound
from svc_auction.domain.log_records import LoggedBid, LoggedRetraction, LogRecord
from svc_auction.infrastructure.rows import to_auction
from svc_auction.infrastructure.shards import Shards

ROWS_AT_ONCE = 250
"""How many records are fetched, and then followed, before others have a turn: some ms."""
_BID_COLUMNS = 12

_queries = load("svc_auction.infrastructure", "bid_log.sql")
_auction_queries = load("svc_auction.infrastructure", "queries.sql")


class PostgresLogReading:
    """An auction and its log, both as they were at one instant."""

    def __init__(self, *, auction: Auction, connection: Connection) -> None:
        self.auction = auction
        self._connection = connection

    async def records(self) -> AsyncIterator[LogRecord]:
        """Yield the records, oldest first."""
        async with self._connection.cursor(name="bid_log") as cursor:
            await cursor.execute(
                _queries["select_log"], {"auction_id": self.auction.listing.auction_id}
            )
            while rows := await cursor.fetchmany(ROWS_AT_ONCE):
                for row in rows:
                    yield _to_record(row)


class PostgresBidLogs:
    """The bid logs of all auctions, each on the shard that its id carries."""

    def __init__(self, *, shards: Shards) -> None:
        self._shards = shards

    @asynccontextmanager
    async def reading(self, auction_id: str) -> AsyncIterator[PostgresLogReading]:
        """Yield an auction with its log; they may lag behind, and fit each other."""
        async with self._shards.of(auction_id).read() as connection:
            await connection.execute(_queries["see_one_instant"])
            found = await connection.execute(_auction_queries["select_auction"], (auction_id,))
            row = await found.fetchone()
            if row is None:
                raise AuctionNotFound
            yield PostgresLogReading(auction=to_auction(row), connection=connection)

    async def find_bid(
        self, auction_id: str, bid_id: str, *, bidder_id: str | None
    ) -> RecordedBid | None:
        """Return a bid as it is committed, if there is such a one of the bidder's or of anyone."""
        async with self._shards.of(auction_id).transaction() as connection:
            found = await connection.execute(
                _queries["select_bid"],
                {"auction_id": auction_id, "bid_id": bid_id, "bidder_id": bidder_id},
            )
            row = await found.fetchone()
        if row is None:
            return None
        return RecordedBid(LoggedBid(*row[:_BID_COLUMNS]), previous_hash=row[_BID_COLUMNS])


def _to_record(row: tuple[Any, ...]) -> LogRecord:
    sequences = row[_BID_COLUMNS]
    if sequences is None:
        return LoggedBid(*row[:_BID_COLUMNS])
    sequence, record_id, bidder_id, _, price_minor, leader_id, _, at, record_hash, *_, salt, _ = row
    return LoggedRetraction(
        sequence,
        record_id,
        bidder_id,
        price_minor,
        leader_id,
        at,
        record_hash,
        tuple(sequences),
        salt,
    )
