"""Close a seller's auctions to a bidder, or open them again, on every shard.

Bids are decided on their auction's shard alone, so each shard has to know. The latest word counts:
its time is later than that of every word that the shards have, whatever their clocks say.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from svc_auction.application.ports import Block, Blocks
from svc_auction.domain.errors import ShardUnavailable

Times = tuple[datetime, datetime | None]
"""A shard's time, and when the last word was had; None if there was none."""

_MICROSECOND = timedelta(microseconds=1)


class BlockBidder:
    """Blocks bidders, and lets them in again, for sellers."""

    def __init__(self, *, shards: Sequence[Blocks]) -> None:
        self._shards = shards

    async def __call__(self, *, seller_id: str, bidder_id: str, blocked: bool) -> None:
        """Return once every shard knows.

        ``ShardUnavailable`` if one is away: the others know by then, and it is to be repeated.
        """
        times = await asyncio.gather(
            *(_unless_away(shard, seller_id, bidder_id) for shard in self._shards)
        )
        there = [
            (shard, answer)
            for shard, answer in zip(self._shards, times, strict=True)
            if answer is not None
        ]
        if not there:
            raise ShardUnavailable(retry_after_s=1.0)
        block = Block(seller_id, bidder_id, blocked, _later([answer for _, answer in there]))
        written = await asyncio.gather(
            *(shard.write(block) for shard, _ in there), return_exceptions=True
        )
        for fault in written:
            if fault is not None:
                raise fault
        if len(there) < len(self._shards):
            raise ShardUnavailable(retry_after_s=1.0)


def _later(times: Sequence[Times]) -> datetime:
    """Return the time of a new word, by the first shard's clock unless an earlier word is ahead."""
    first_shard_at, _ = times[0]
    last_words_at = [last_at for _, last_at in times if last_at is not None]
    return max([first_shard_at, *(last_at + _MICROSECOND for last_at in last_words_at)])


async def _unless_away(shard: Blocks, seller_id: str, bidder_id: str) -> Times | None:
    try:
        return await shard.times(seller_id, bidder_id)
    except ShardUnavailable:
        return None
