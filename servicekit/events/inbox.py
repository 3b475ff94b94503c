"""The inbox: an event has its effects once, however often it is delivered."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from blytz.events.v1.event_pb2 import Event
from servicekit.postgres import Connection, Database
from servicekit.queries import load
from servicekit.telemetry import start_sampled_span

KEEP_S: Final = 8 * 24 * 3600
"""A day longer than Kafka keeps events by default: nothing older can come again."""

Handler = Callable[[Connection, Event], Awaitable[None]]
"""Applies an event in the transaction of ``connection``, which is no place for calls to others."""

_QUERIES = load("servicekit.events", "inbox_queries.sql")


class Inbox:
    """What one consumer has handled, in the database of its effects."""

    def __init__(self, *, database: Database, consumer: str, handle: Handler) -> None:
        self._database = database
        self._consumer = consumer
        self._handle = handle

    async def apply(self, events: Sequence[Event]) -> int:
        """Apply those of the events that are new, in order, all in one transaction.

        Return how many were new. An exception of the handler leaves none of them applied.
        """
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                _QUERIES["take_in"],
                {
                    "consumer": self._consumer,
                    # Sorted, so that two replicas with the same events wait in one direction.
                    "event_ids": sorted({event.event_id for event in events}),
                },
            )
            new_ids = {event_id for (event_id,) in await cursor.fetchall()}
            new_count = len(new_ids)
            for event in events:
                if event.event_id in new_ids:
                    new_ids.discard(event.event_id)
                    with start_sampled_span(f"{self._consumer} {event.type}", event.traceparent):
                        await self._handle(connection, event)
        return new_count

    async def forget_old(self) -> int:
        """Forget what is too old to come again; return how many events that were."""
        oldest_ms = int((time.time() - KEEP_S) * 1000)
        forgotten = 0
        while True:
            async with self._database.transaction() as connection:
                cursor = await connection.execute(
                    _QUERIES["forget_before"],
                    {"consumer": self._consumer, "oldest_id": first_id_of(oldest_ms)},
                )
            if not cursor.rowcount:
                return forgotten
            forgotten += cursor.rowcount


def first_id_of(time_ms: int) -> str:
    """Return the lowest UUID of version 7 of a millisecond since 1970."""
    digits = f"{time_ms:012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000"
