"""A replica of a shard that lags exactly as far as a test wants: it takes over when it is told to.

What the service asks of a replica is only to be read, so a second database does for one.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql

_TABLES = ("auctions", "books", "bids")


@dataclass(frozen=True)
class LaggingReplica:
    """Two databases of the same form: the replica's content is the primary's of some time ago."""

    primary_url: str
    url: str

    async def catch_up(self) -> None:
        """Take over all that is committed on the primary."""
        async with (
            await psycopg.AsyncConnection.connect(self.primary_url) as source,
            await psycopg.AsyncConnection.connect(self.url) as target,
        ):
            await source.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            await target.execute("truncate auctions, books, bids cascade")
            for table in map(sql.Identifier, _TABLES):
                reading = sql.SQL("copy {} to stdout").format(table)
                writing = sql.SQL("copy {} from stdin").format(table)
                async with (
                    source.cursor().copy(reading) as rows,
                    target.cursor().copy(writing) as copied,
                ):
                    async for row in rows:
                        await copied.write(row)

    async def mark(self, auction_id: str) -> None:
        """Give an auction a title on the replica by which its answers are known."""
        async with await psycopg.AsyncConnection.connect(self.url) as target:
            await target.execute(
                "update auctions set title = 'replica' where auction_id = %s", (auction_id,)
            )
