"""A seller's word reaches every shard that is there, later than every word before it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from fakes.auction_books import ADA, SELLER, START
from svc_auction.application.block_bidder import BlockBidder
from svc_auction.application.ports import Block
from svc_auction.domain.errors import ShardUnavailable

MINUTE = timedelta(minutes=1)


@dataclass
class ScriptedShard:
    """The port ``Blocks`` with a clock, a last word, and whether it is away or goes away."""

    now: datetime = START
    last_at: datetime | None = None
    is_away: bool = False
    goes_away: bool = False
    written: list[Block] = field(default_factory=list)

    async def times(self, seller_id: str, bidder_id: str) -> tuple[datetime, datetime | None]:
        assert (seller_id, bidder_id) == (SELLER, ADA)
        if self.is_away:
            raise ShardUnavailable
        return self.now, self.last_at

    async def write(self, block: Block) -> None:
        if self.is_away or self.goes_away:
            raise ShardUnavailable
        self.written.append(block)


async def block(*shards: ScriptedShard, blocked: bool = True) -> None:
    await BlockBidder(shards=shards)(seller_id=SELLER, bidder_id=ADA, blocked=blocked)


async def test_all_shards_note_the_same_time() -> None:
    shards = [ScriptedShard(now=START + number * MINUTE) for number in range(3)]
    await block(*shards, blocked=False)
    for shard in shards:
        assert shard.written == [Block(SELLER, ADA, barred=False, changed_at=START)]


async def test_a_word_is_later_than_any_that_a_shard_has() -> None:
    ahead = START + 60 * MINUTE
    shards = [ScriptedShard(last_at=START - MINUTE), ScriptedShard(last_at=ahead)]
    await block(*shards)
    assert {shard.written[0].changed_at for shard in shards} == {ahead + timedelta(microseconds=1)}


@pytest.mark.parametrize("away", [{"is_away": True}, {"goes_away": True}])
async def test_the_others_are_told_when_a_shard_is_away(away: dict[str, Any]) -> None:
    shards = [ScriptedShard(), ScriptedShard(**away), ScriptedShard()]
    with pytest.raises(ShardUnavailable):
        await block(*shards)
    assert [len(shard.written) for shard in shards] == [1, 0, 1]


async def test_nothing_is_noted_when_all_are_away() -> None:
    with pytest.raises(ShardUnavailable) as away:
        await block(ScriptedShard(is_away=True))
    assert away.value.retry_after_s is not None
