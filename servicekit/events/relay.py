"""The relay: what was committed to the outbox goes to Kafka, in order, at least once.

One relay a database at a time, by a lease. It reads the rows that are *unsent*, in id order (never
those after the last id: a transaction may commit late), writes them to Kafka, and marks them once
Kafka has acknowledged them. After a fault it begins again at the first unsent row. Rows of a key
stay in order, because their writers hold the aggregate's row lock while they take their ids.

A broker may lose its log, as one in memory does at each restart. The relay notices by the id of
the topic and by where its logs end, and sends the last day's lost rows again. Consumers tell
duplicates by the event's id.
"""

import asyncio
import contextlib
import random
from typing import Final

import structlog

from kernel.errors import BlytzError
from servicekit.events.kafka_topics import PARTITION_COUNT
from servicekit.events.lease import Lease, LeaseLost
from servicekit.events.outbox_upkeep import keep_up
from servicekit.events.publisher import KafkaAway, Publisher
from servicekit.events.relay_term import RelayTerm
from servicekit.postgres import Database

RETRY_LEASE_EVERY_S: Final = 0.5
RETRY_KAFKA_AFTER_S_MIN: Final = 0.2
RETRY_KAFKA_AFTER_S_MAX: Final = 2.0
FINISH_BATCH_WITHIN_S: Final = 1.0

log = structlog.get_logger(__name__)


class Relay:
    """Sends the outbox of ``database``; every replica runs one, and the leaseholder works.

    ``name`` is the service's, for logs, metrics and Kafka's client id. Topics that do not exist are
    created with ``partition_count`` partitions. Run ``run`` in the background; call ``wake`` after
    each commit that wrote events.
    """

    def __init__(
        self,
        *,
        database: Database,
        kafka_bootstrap: str,
        name: str,
        partition_count: int = PARTITION_COUNT,
        lease: Lease | None = None,
    ) -> None:
        self._database = database
        self._kafka_bootstrap = kafka_bootstrap
        self._name = name
        self._partition_count = partition_count
        self._lease = lease or Lease(database=database)
        self._woken = asyncio.Event()
        self._log = log.bind(outbox=name)

    def wake(self) -> None:
        """Send at once what was just committed, if this replica holds the lease."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled; ``DependencyUnavailable`` when the database is away."""
        retry_after_s = RETRY_KAFKA_AFTER_S_MIN
        while True:
            if not await self._lease.acquire():
                await asyncio.sleep(RETRY_LEASE_EVERY_S)
                continue
            publisher = Publisher(self._kafka_bootstrap, self._name, self._partition_count)
            term = RelayTerm(
                database=self._database,
                publisher=publisher,
                lease=self._lease,
                woken=self._woken,
                name=self._name,
            )
            try:
                await self._lead(term, publisher)
            except LeaseLost:
                self._log.warning("relay_lease_lost")
            except KafkaAway as fault:
                if term.sent_count:
                    retry_after_s = RETRY_KAFKA_AFTER_S_MIN
                self._log.warning("kafka_away", error=str(fault), retry_after_s=retry_after_s)
                # The lease is free meanwhile: another replica may reach Kafka.
                await asyncio.sleep(retry_after_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
                retry_after_s = min(2 * retry_after_s, RETRY_KAFKA_AFTER_S_MAX)

    async def _lead(self, term: RelayTerm, publisher: Publisher) -> None:
        """Serve a term while the lease lasts; finish the batch under way, then let go."""
        sending = asyncio.create_task(term.serve(), name="relay-term")
        others = [
            asyncio.create_task(self._lease.keep(), name="relay-lease"),
            asyncio.create_task(keep_up(self._database, self._name), name="outbox-upkeep"),
        ]
        try:
            ended, _ = await asyncio.wait([sending, *others], return_when="FIRST_COMPLETED")
            for task in ended:
                task.result()
        finally:
            term.finish()
            await asyncio.wait([sending], timeout=FINISH_BATCH_WITHIN_S)
            for task in (sending, *others):
                task.cancel()
            await asyncio.gather(sending, *others, return_exceptions=True)
            self._woken.clear()
            await publisher.close()
            with contextlib.suppress(BlytzError):
                await self._lease.release()
