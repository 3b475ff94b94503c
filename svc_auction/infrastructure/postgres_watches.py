"""Watch lists in Postgres: each entry is kept where its auction is."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.ports import ListPosition, WatchedAuction
from svc_auction.domain.errors import AuctionNotFound
from svc_auction.infrastructure.rows import to_auction
from svc_auction.infrastructure.shards import Shards

_queries = load("svc_auction.infrastructure", "watches.sql")
_TOP = ListPosition(datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")


class PostgresWatches:
    """The port ``Watches``: an entry never moves, so the order across shards is a fixed one.

    What is added while somebody pages comes before their page and disturbs nothing.
    """

    def __init__(self, *, shards: Shards) -> None:
        self._shards = shards

    async def add(self, user_id: str, auction_id: str) -> None:
        """Put an auction on a list; one that is there already stays where it is."""
        async with self._shards.of(auction_id).transaction() as connection:
            await connection.execute(_queries["insert_watch"], (user_id, auction_id))

    async def remove(self, user_id: str, auction_id: str) -> None:
        """Take an auction off a list; one that is not there is no error."""
        try:
            shard = self._shards.of(auction_id)
        except AuctionNotFound:
            # An id of no shard of ours is on nobody's list.
            return
        async with shard.transaction() as connection:
            await connection.execute(_queries["delete_watch"], (user_id, auction_id))

    async def page(
        self, user_id: str, *, after: ListPosition | None, limit: int
    ) -> Sequence[WatchedAuction]:
        """Return up to ``limit`` entries of all shards after a position, latest added first.

        A shard that is away fails the whole list: one that silently misses entries would look like
        one from which they were taken.
        """
        after = after or _TOP
        parameters = {
            "user_id": user_id,
            "added_before": after.at,
            "before_id": after.auction_id,
            "limit": limit,
        }

        async def select(connection: Connection) -> list[WatchedAuction]:
            rows = await connection.execute(_queries["list_watches"], parameters)
            return [WatchedAuction(row[0], to_auction(row[1:])) for row in await rows.fetchall()]

        answers = await asyncio.gather(*(shard.ask(select) for shard in self._shards))
        found = [watched for answer in answers for watched in answer]
        return sorted(found, key=_place, reverse=True)[:limit]


def _place(watched: WatchedAuction) -> tuple[datetime, str]:
    return watched.added_at, watched.auction.listing.auction_id
