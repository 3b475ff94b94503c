"""The outbox: events are written in the transaction of their cause, and the relay sends them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

from servicekit import arrays
from servicekit.postgres import Connection

PAYLOAD_BYTES_MAX: Final = 900_000
"""Below the broker's default limit of a message, so that no row can block the relay."""

APPEND_SQL: Final[LiteralString] = (
    "insert into outbox (topic, partition_key, payload)"
    " select * from unnest(%s::text[], %s::text[], %s::bytea[])"
)
"""Writes any number of events; its parameters are ``append_parameters(events)``."""


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event to be sent: ``payload`` is a serialized ``blytz.events.v1.Event``.

    ``key`` is the aggregate's id: events of one key are sent in the order in which they were
    written. That order is right if their writers hold the aggregate's row lock until the commit.
    """

    topic: str
    key: str
    payload: bytes


class EventTooLarge(ValueError):
    """An event is larger than Kafka takes."""


def append_parameters(events: Sequence[OutboxEvent]) -> tuple[str, str, str]:
    """Return the parameters of ``APPEND_SQL``; ``EventTooLarge`` if one could not be sent."""
    payloads = [event.payload for event in events]
    if payloads and (largest_bytes := max(map(len, payloads))) > PAYLOAD_BYTES_MAX:
        raise EventTooLarge(f"{largest_bytes} bytes; Kafka takes {PAYLOAD_BYTES_MAX}")
    return (
        arrays.texts([event.topic for event in events]),
        arrays.texts([event.key for event in events]),
        arrays.octets(payloads),
    )


async def append(connection: Connection, events: Sequence[OutboxEvent]) -> None:
    """Write the events, in this order, with one statement in the caller's transaction.

    Wake the relay after the commit. Within a psycopg pipeline use ``APPEND_SQL`` just as well:
    this does not wait for a result.
    """
    if events:
        await connection.execute(APPEND_SQL, append_parameters(events))
