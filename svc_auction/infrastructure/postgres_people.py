"""What the shards know of people: whom whose auctions are closed to, and who has a saved card.

Every shard has all of it, since bids are decided on their auction's shard alone. The latest word
about a fact counts, so facts may be written in any order and any number of times.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import permutations
from typing import Any, LiteralString

import structlog

from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.decide_bids import Bar
from svc_auction.application.ports import Block
from svc_auction.domain.errors import ShardUnavailable
from svc_auction.infrastructure.rows import Row
from svc_auction.infrastructure.shards import Shard, Shards

PAGE_ROWS = 1_000
_NOBODY = "00000000-0000-0000-0000-000000000000"

BarRow = tuple[str, str, int, bool, datetime]
"""A row of ``bars``: the seller, the bidder, the kind, whether it is closed, since when."""

log = structlog.get_logger(__name__)
_queries = load("svc_auction.infrastructure", "people.sql")


class ShardBlocks:
    """The port ``Blocks`` of one shard."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard

    async def times(self, seller_id: str, bidder_id: str) -> tuple[datetime, datetime | None]:
        """Return the shard's time, and when this seller last had their word about this bidder."""
        async with self._shard.transaction() as connection:
            found = await connection.execute(_queries["select_block_times"], (seller_id, bidder_id))
            ((now, changed_at),) = await found.fetchall()
        return now, changed_at

    async def write(self, block: Block) -> None:
        """Note a block, or that there is none, unless a later word is there."""
        async with self._shard.transaction() as connection:
            await write_bars(
                connection,
                [
                    (
                        block.seller_id,
                        block.bidder_id,
                        Bar.BLOCKED.value,
                        block.barred,
                        block.changed_at,
                    )
                ],
            )


async def write_bars(connection: Connection, bars: Sequence[BarRow]) -> None:
    """Note bars, in the order of their keys, so that two writers never deadlock."""
    columns: list[list[Any]] = [list(column) for column in zip(*sorted(bars), strict=True)]
    await connection.execute(_queries["write_bars"], columns)


async def write_card_holders(
    connection: Connection, holders: Sequence[tuple[str, bool, datetime]]
) -> None:
    """Note who has a saved card and who has not, in the order of their ids."""
    columns: list[list[Any]] = [list(column) for column in zip(*sorted(holders), strict=True)]
    await connection.execute(_queries["write_card_holders"], columns)


async def copy_people(shards: Shards) -> bool:
    """Tell every shard what the others know; False if one was away, so that it is to be repeated.

    A shard that joins knows nobody. Whatever is written meanwhile reaches it by itself.
    """
    complete = True
    for source, target in permutations(shards, 2):
        try:
            bar_count, holder_count = await _copy(source, target)
        except ShardUnavailable:
            complete = False
            log.warning("people_not_copied", source=source.number, target=target.number)
        else:
            log.info(
                "people_copied",
                source=source.number,
                target=target.number,
                bars=bar_count,
                card_holders=holder_count,
            )
    return complete


async def _copy(source: Shard, target: Shard) -> tuple[int, int]:
    bar_count = holder_count = 0
    async for bars in _pages(source, "list_bars", (_NOBODY, _NOBODY, 0)):
        async with target.transaction() as connection:
            await write_bars(connection, [(row[0], row[1], row[2], row[3], row[4]) for row in bars])
        bar_count += len(bars)
    async for holders in _pages(source, "list_card_holders", (_NOBODY,)):
        async with target.transaction() as connection:
            await write_card_holders(connection, [(row[0], row[1], row[2]) for row in holders])
        holder_count += len(holders)
    return bar_count, holder_count


async def _pages(
    shard: Shard, query: LiteralString, after: tuple[object, ...]
) -> AsyncIterator[list[Row]]:
    """Yield pages of a table whose key stands in its first columns, as many as ``after`` has."""
    while True:
        async with shard.transaction() as connection:
            found = await connection.execute(_queries[query], (*after, PAGE_ROWS))
            rows = await found.fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1][: len(after)]
