"""One term of the leading relay: from taking the lease to losing it, or to a fault of Kafka.

Whatever goes wrong ends the term, and the next one begins with a look at the broker's logs and at
the first unsent row. So within a term nothing was left behind, and what is remembered holds.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client import Counter, Histogram

from servicekit.events.kafka_topics import TopicLog
from servicekit.events.lease import Lease, LeaseLost
from servicekit.events.log_loss import lost_parts, overwritten_parts
from servicekit.events.outbox_rows import LogPartition, OutboxRows, Place, Position, Row
from servicekit.events.publisher import KafkaAway, Publisher
from servicekit.postgres import Connection, Database

REST_S_MAX: Final = 0.02
REST_BELOW_ROWS: Final = 200
POLL_EVERY_S: Final = 0.02
"""How long an event of another replica waits at most: nothing wakes us for it."""
POLL_ALONE_EVERY_S: Final = 0.2
"""As before, while there is no other replica: for what is written by hand or by a job. A poll
every 20 ms costs almost three per cent of a core."""
BATCH_ROWS_MAX: Final = 2000
FULL_SCAN_EVERY_S: Final = 2.0
CHECK_LOGS_EVERY_S: Final = 5.0

log = structlog.get_logger(__name__)

_sent = Counter("blytz_outbox_sent_total", "Events that Kafka has acknowledged.", ["outbox"])
_lost = Counter(
    "blytz_outbox_lost_total", "Events to be sent again: the broker lost them.", ["outbox"]
)
_lag_seconds = Histogram(
    "blytz_outbox_lag_seconds",
    "From writing an event to Kafka's acknowledgement, the oldest event of each batch.",
    ["outbox"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30, 300),
)


class RelayTerm:
    """Sends what waits, until it is told to finish; ``woken`` makes it look at once."""

    def __init__(
        self,
        *,
        database: Database,
        publisher: Publisher,
        lease: Lease,
        woken: asyncio.Event,
        name: str,
    ) -> None:
        self._database = database
        self._lease = lease
        self._rows = OutboxRows(database)
        self._publisher = publisher
        self._woken = woken
        self._finishing = False
        self._log = log.bind(outbox=name)
        self._sent = _sent.labels(name)
        self._lost = _lost.labels(name)
        self._lag_seconds = _lag_seconds.labels(name)
        self._positions: dict[LogPartition, Position] = {}
        self._topic_logs: dict[str, TopicLog] = {}
        self._check_logs_at_s = 0.0
        self._scan = _Scan()
        self.sent_count = 0

    def finish(self) -> None:
        """End after the batch that is under way."""
        self._finishing = True
        self._woken.set()

    async def serve(self) -> None:
        """Send until told to finish; ``KafkaAway`` and ``LeaseLost`` end it too."""
        self._positions = await self._rows.read_positions()
        async with self._database.statements() as connection:
            while not self._finishing:
                if not self._lease.is_held:
                    raise LeaseLost
                if time.monotonic() >= self._check_logs_at_s:
                    await self._check_logs(())
                started_s = time.monotonic()
                sent = await self._send_batch(connection)
                if 1 < sent < REST_BELOW_ROWS:
                    # A batch costs as much as fifty rows: let the next one grow.
                    await asyncio.sleep(min(time.monotonic() - started_s, REST_S_MAX))
                if sent < BATCH_ROWS_MAX:
                    await self._wait()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            is_contended = self._lease.is_contended
            async with asyncio.timeout(POLL_EVERY_S if is_contended else POLL_ALONE_EVERY_S):
                await self._woken.wait()
        if not self._finishing:
            self._woken.clear()

    async def _send_batch(self, connection: Connection) -> int:
        """Send the first rows that wait; return how many there were."""
        floor = self._scan.next_floor()
        rows = await self._rows.read_unsent(connection, floor=floor, row_count_max=BATCH_ROWS_MAX)
        self._scan.saw(rows, from_start=floor == 0)
        if not rows:
            return 0
        if unknown := {row.topic for row in rows} - self._topic_logs.keys():
            await self._check_logs(unknown)
        published = await self._publisher.publish(rows)
        acknowledged = rows[: len(published.places)]
        if overwritten := overwritten_parts(self._positions, acknowledged, published.places):
            await self._forget(overwritten)
            await self._check_logs(())
            return len(rows)
        if acknowledged:
            await self._mark(connection, acknowledged, published.places)
        if published.fault:
            raise KafkaAway(published.fault)
        return len(rows)

    async def _mark(
        self, connection: Connection, rows: Sequence[Row], places: Sequence[Place]
    ) -> None:
        reached = self._positions_after(rows, places)
        await self._rows.mark_sent(connection, rows, places, reached)
        self._positions |= reached
        self.sent_count += len(rows)
        self._sent.inc(len(rows))
        self._lag_seconds.observe((datetime.now(UTC) - rows[0].created_at).total_seconds())

    def _positions_after(
        self, rows: Sequence[Row], places: Sequence[Place]
    ) -> dict[LogPartition, Position]:
        first: dict[LogPartition, int] = {}
        last: dict[LogPartition, int] = {}
        for row, place in zip(rows, places, strict=True):
            part = LogPartition(row.topic, place.partition)
            first.setdefault(part, place.offset)
            last[part] = place.offset
        return {
            part: Position(self._topic_logs[part.topic].topic_id, first[part], last[part])
            for part in last
        }

    async def _check_logs(self, new_topics: Iterable[str]) -> None:
        """Look whether the broker still has what was written, and make it wait again if not."""
        self._check_logs_at_s = time.monotonic() + CHECK_LOGS_EVERY_S
        topics = {part.topic for part in self._positions} | self._topic_logs.keys()
        self._topic_logs = await self._publisher.topic_logs(topics.union(new_topics))
        if lost := lost_parts(self._positions, self._topic_logs):
            await self._forget(lost)

    async def _forget(self, lost: Sequence[tuple[LogPartition, int]]) -> None:
        count = await self._rows.forget(lost)
        self._positions = await self._rows.read_positions()
        self._scan = _Scan()
        self._lost.inc(count)
        self._log.warning("kafka_lost_events", event_count=count, partition_count=len(lost))


class _Scan:
    """Where to begin reading, so that a poll does not wade through what was just sent.

    Index entries of sent rows stay until a vacuum. A floor keeps a poll out of them: an id that
    was reached at least ``FULL_SCAN_EVERY_S`` ago. What commits so late as to be below the floor is
    found by the next scan from the start.
    """

    def __init__(self) -> None:
        self._floor = 0
        self._following_floor = 0
        self._id_max = 0
        self._full_scan_at_s = 0.0

    def next_floor(self) -> int:
        """Return the id to read from; zero when it is time for all."""
        return 0 if time.monotonic() >= self._full_scan_at_s else self._floor

    def saw(self, rows: Sequence[Row], *, from_start: bool) -> None:
        """Learn from what was read; while there is more than a batch, stay at the start."""
        if rows:
            self._id_max = max(self._id_max, rows[-1].id)
        if from_start and len(rows) < BATCH_ROWS_MAX:
            self._floor, self._following_floor = self._following_floor, self._id_max
            self._full_scan_at_s = time.monotonic() + FULL_SCAN_EVERY_S
