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
DESCRIPTION = "The events of every auction and person are numbered without gaps or repeats."

_ROWS_AT_ONCE = 2_000
_LAST_EVENTS = frozenset({"auction_ended", "auction_cancelled"})
_HEADS = {
    "auction": "select auction_id::text, sequence from books",
    "identity": "select user_id::text, event_sequence from people",
}


async def violations(connection: Connection, *, area: str) -> list[Violation]:
    """Return the aggregates of an area (auction, identity) whose events do not add up."""
    cursor = await connection.execute(_HEADS[area])
    heads: dict[str, int] = dict(await cursor.fetchall())
    sequences: dict[str, list[int]] = defaultdict(list)
    over: dict[str, int] = {}
    found: list[Violation] = []
    async with connection.cursor(name="events") as events:
        await events.execute("select payload from outbox order by id")
        while rows := await events.fetchmany(_ROWS_AT_ONCE):
            for (payload,) in rows:
                event = Event.FromString(payload)
                sequences[event.aggregate_id].append(event.sequence)
                if event.aggregate_id in over:
                    what = (
                        f"event {event.sequence} comes after the last, {over[event.aggregate_id]}"
                    )
                    found.append(Violation(NAME, f"{area} {event.aggregate_id}", what))
                if event.WhichOneof("payload") in _LAST_EVENTS:
                    over[event.aggregate_id] = event.sequence
    return found + _gaps(area, heads, sequences)


def _gaps(
    area: str, heads: Mapping[str, int], sequences: Mapping[str, list[int]]
) -> list[Violation]:
    found = []
    for aggregate_id, numbers in sequences.items():
        head = heads.get(aggregate_id)
        where = f"{area} {aggregate_id}"
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
