"""The timekeeper: starts and ends auctions on time, by whichever replica comes first.

Every replica looks for what is due when the next known time has come, and at least ten times a
second, since another replica may have moved an end. The row locks see to it that each auction is
started and ended once.
"""

import asyncio

import structlog

from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import Shard

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
        while True:
            next_s = await self._auctions.seconds_to_next(self._shard)
            if next_s is not None and next_s <= 0:
                await self.advance()
            else:
                await asyncio.sleep(min(next_s or LOOK_EVERY_S, LOOK_EVERY_S))

    async def advance(self) -> int:
        """Start and end what is due now, up to a batch; return how many auctions changed."""
        count = await self._auctions.advance_due(self._shard, limit=BATCH_MAX)
        if count:
            log.info("auctions_advanced", shard=self._shard.number, count=count)
        return count
