"""The timekeeper: starts and ends auctions on time, by whichever replica comes first.

Every replica looks for what is due when the next known time has come, and at least ten times a
second, since another replica may have moved an end. The row locks see to it that each auction is
started and ended once.
"""

import asyncio

import structlog

from svc_auction.domain.errors import ShardUnavailable
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import Shard, Shards

LOOK_EVERY_S = 0.1
BATCH_MAX = 500

log = structlog.get_logger(__name__)


class Timekeeper:
    """Keeps the time of one shard."""

    def __init__(self, *, shard: Shard, auctions: PostgresAuctions) -> None:
        self._shard = shard
        self._auctions = auctions

    async def run(self) -> None:
        """Start and end auctions until cancelled."""
        away = False
        while True:
            try:
                await self._look()
                away = False
            except ShardUnavailable as error:
                # It is tried again soon: whoever needs the shard waits for this to find it back.
                if not away:
                    log.warning("shard_away", shard=self._shard.number)
                away = True
                await asyncio.sleep(error.retry_after_s or LOOK_EVERY_S)

    async def _look(self) -> None:
        next_s = await self._auctions.seconds_to_next(self._shard)
        if next_s is not None and next_s <= 0:
            await self.advance()
        else:
            await asyncio.sleep(min(next_s or LOOK_EVERY_S, LOOK_EVERY_S))

    async def advance(self) -> int:
        """Start and end what is due now, up to a batch; return how many auctions changed.

        Watchers are told of a near end afterwards: a notice never makes an end late.
        """
        count = await self._auctions.advance_due(self._shard, limit=BATCH_MAX)
        await self._auctions.tell_ending_soon(self._shard, limit=BATCH_MAX)
        if count:
            log.info("auctions_advanced", shard=self._shard.number, count=count)
        return count


async def catch_up(shards: Shards, auctions: PostgresAuctions) -> bool:
    """Start and end all that is due now, once; say whether that was done on every shard.

    A shard that is away, or at fault, stops no other.
    """
    outcomes = await asyncio.gather(
        *(_catch_up(Timekeeper(shard=shard, auctions=auctions)) for shard in shards),
        return_exceptions=True,
    )
    for shard, outcome in zip(shards, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            log.error("catch_up_failed", shard=shard.number, exc_info=outcome)
    return not any(isinstance(outcome, BaseException) for outcome in outcomes)


async def _catch_up(keeper: Timekeeper) -> None:
    """Go on until nothing is due: what was started late may have to end at once."""
    while await keeper.advance():
        pass
