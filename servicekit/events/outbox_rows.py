"""The rows of the outbox as the relay sees them: what waits, what was sent, what was lost."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from servicekit import arrays
from servicekit.postgres import Connection, Database
from servicekit.queries import load

KEEP_SENT_HOURS = 24

_QUERIES = load("servicekit.events", "relay.sql")


class Row(NamedTuple):
    """A row that waits."""

    id: int
    topic: str
    key: str
    payload: bytes
    created_at: datetime


class Place(NamedTuple):
    """Where Kafka has put a row."""

    partition: int
    offset: int


class LogPartition(NamedTuple):
    """One partition of a topic."""

    topic: str
    partition: int


class Position(NamedTuple):
    """How far a partition was written, and in which topic, by its id.

    ``batch_offset`` is where the last batch began, ``offset`` where it ended.
    """

    topic_id: str
    batch_offset: int
    offset: int


class OutboxRows:
    """The outbox of one database, for the one relay that holds its lease."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_unsent(
        self, connection: Connection, *, floor: int, row_count_max: int
    ) -> list[Row]:
        """Return the first rows that wait, from the id ``floor`` on, in order."""
        cursor = connection.cursor(binary=True)
        await cursor.execute(
            _QUERIES["read_unsent"], {"floor": floor, "row_count_max": row_count_max}
        )
        return [Row._make(values) for values in await cursor.fetchall()]

    async def mark_sent(
        self,
        connection: Connection,
        rows: Sequence[Row],
        places: Sequence[Place],
        positions: dict[LogPartition, Position],
    ) -> None:
        """Write down where Kafka has put the rows, and how far its logs now reach."""
        created_at = [row.created_at for row in rows]
        await connection.execute(
            _QUERIES["mark_sent"],
            {
                "ids": arrays.integers([row.id for row in rows]),
                "partitions": arrays.integers([place.partition for place in places]),
                "offsets": arrays.integers([place.offset for place in places]),
                "id_min": rows[0].id,
                "id_max": rows[-1].id,
                "created_at_min": min(created_at),
                "created_at_max": max(created_at),
                "log_topics": [log.topic for log in positions],
                "log_partitions": [log.partition for log in positions],
                "log_topic_ids": [position.topic_id for position in positions.values()],
                "log_batch_offsets": [position.batch_offset for position in positions.values()],
                "log_offsets": [position.offset for position in positions.values()],
            },
        )

    async def read_positions(self) -> dict[LogPartition, Position]:
        """Return how far each partition was written."""
        async with self._database.statements() as connection:
            cursor = await connection.execute(_QUERIES["read_positions"])
            return {
                LogPartition(topic, partition): Position(topic_id, batch_offset, offset)
                for topic, partition, topic_id, batch_offset, offset in await cursor.fetchall()
            }

    async def forget(self, lost: Iterable[tuple[LogPartition, int]]) -> int:
        """Make the rows wait again that stood in a log from an offset on; return how many."""
        count = 0
        async with self._database.transaction() as connection:
            for log, lost_from in lost:
                cursor = await connection.execute(
                    _QUERIES["forget_log"],
                    {"topic": log.topic, "partition": log.partition, "lost_from": lost_from},
                )
                count += cursor.rowcount
        return count

    async def count_unsent(self) -> int:
        """Return how many rows wait; from 100,000 on it is that."""
        async with self._database.statements() as connection:
            row = await (await connection.execute(_QUERIES["count_unsent"])).fetchone()
        return int(row[0]) if row else 0

    async def make_partitions(self) -> None:
        """Make the partitions of the coming hours."""
        async with self._database.transaction() as connection:
            await connection.execute(_QUERIES["make_partitions"])

    async def drop_partitions(self) -> None:
        """Drop the partitions whose rows were sent ``KEEP_SENT_HOURS`` ago."""
        async with self._database.transaction() as connection:
            await connection.execute(_QUERIES["drop_partitions"], {"keep_hours": KEEP_SENT_HOURS})
