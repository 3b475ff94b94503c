"""What the leading relay does beside sending: it counts what waits and turns the partitions."""

import asyncio
import time
from typing import Final

import structlog
from prometheus_client import Gauge

from kernel.errors import BlytzError
from servicekit.events.outbox_rows import OutboxRows
from servicekit.postgres import Database

COUNT_EVERY_S: Final = 10.0
TURN_EVERY_S: Final = 600.0

log = structlog.get_logger(__name__)

_unsent = Gauge(
    "blytz_outbox_unsent",
    "Events that wait for Kafka, sampled every ten seconds.",
    ["outbox"],
    multiprocess_mode="livemostrecent",
)


async def keep_up(database: Database, name: str) -> None:
    """Do it until cancelled. What fails is tried again at the next round."""
    rows = OutboxRows(database)
    unsent = _unsent.labels(name)
    turn_at_s = 0.0
    while True:
        try:
            unsent.set(await rows.count_unsent())
            if time.monotonic() >= turn_at_s:
                await rows.make_partitions()
                await rows.drop_partitions()
                turn_at_s = time.monotonic() + TURN_EVERY_S
        except BlytzError as error:
            # A lock was not free, or the database is away, which ends the relay's term elsewhere.
            log.info("outbox_upkeep_postponed", outbox=name, error=str(error))
        await asyncio.sleep(COUNT_EVERY_S)
