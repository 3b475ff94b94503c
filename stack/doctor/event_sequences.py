"""Checks that an aggregate's events in the outbox are numbered without gaps, up to its own count.

Sent events are dropped from the outbox after a day, the oldest first; what is left must still be
the unbroken end of the sequence.
"""

from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

from blytz.events.v1.event_pb2 import Event
from stack.doctor.checks import Connection, Violation

NAME = "events_have_no_gaps"
DESCRIPTION = "The events of every auction, show and person are numbered without gaps or repeats."

_ROWS_AT_ONCE = 2_000
_LAST_EVENTS = frozenset({"auction_ended", "auction_cancelled"})
_HEADS = {
    "auction": {
        "auction.events": "select auction_id::text, sequence from books",
        "show.events": "select show_id::text, sequence from shows",
    },
    "identity": {"user.events": "select user_id::text, event_sequence from people"},
}
"""How far each topic's aggregates have counted, by the service that counts."""
_EVENTS = """
    select topic, payload from outbox where topic <> 'notification.events' order by id
"""
"""All but notices: those have no order, and no numbers."""

Aggregate = tuple[str, str]
"""A topic, and the id of what its events are about."""


async def violations(connection: Connection, *, area: str) -> list[Violation]:
    """Return the aggregates of an area (auction, identity) whose events do not add up."""
    heads: dict[Aggregate, int] = {}
    for topic, query in _HEADS[area].items():
        cursor = await connection.execute(query)
        heads.update({(topic, row[0]): row[1] for row in await cursor.fetchall()})
    sequences: dict[Aggregate, list[int]] = defaultdict(list)
    over: dict[Aggregate, int] = {}
    found: list[Violation] = []
    async with connection.cursor(name="events") as events:
        await events.execute(_EVENTS)
        while rows := await events.fetchmany(_ROWS_AT_ONCE):
            for topic, payload in rows:
                event = Event.FromString(payload)
                aggregate = (topic, event.aggregate_id)
                sequences[aggregate].append(event.sequence)
                if aggregate in over:
                    what = f"event {event.sequence} comes after the last, {over[aggregate]}"
                    found.append(Violation(NAME, _where(aggregate), what))
                if event.WhichOneof("payload") in _LAST_EVENTS:
                    over[aggregate] = event.sequence
    return found + _gaps(heads, sequences)


def _where(aggregate: Aggregate) -> str:
    topic, aggregate_id = aggregate
    return f"{topic.removesuffix('.events')} {aggregate_id}"


def _gaps(
    heads: Mapping[Aggregate, int], sequences: Mapping[Aggregate, list[int]]
) -> list[Violation]:
    found = []
    for aggregate, numbers in sequences.items():
        head, where = heads.get(aggregate), _where(aggregate)
        if head is None:
            found.append(Violation(NAME, where, "it has events and does not exist"))
        elif numbers != list(range(head - len(numbers) + 1, head + 1)):
            what = f"events {_shortened(numbers)}, the last should be {head}"
            found.append(Violation(NAME, where, what))
    return found


def _shortened(numbers: list[int]) -> str:
    """Return the places where the numbers do not go up by one."""
    breaks = [f"{earlier}, {later}" for earlier, later in pairwise(numbers) if later != earlier + 1]
    return f"{numbers[0]} to {numbers[-1]}" + (f" with {'; '.join(breaks[:5])}" if breaks else "")
