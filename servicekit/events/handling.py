"""How a consumer handles a batch: together if it can, otherwise one by one, with retries."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from confluent_kafka import Message
from google.protobuf.message import DecodeError
from prometheus_client import Counter, Histogram

from blytz.events.v1.event_pb2 import Event
from kernel.errors import BlytzError, ErrorKind
from servicekit.events.dead_letters import DeadLetter
from servicekit.events.inbox import Inbox

RETRY_AFTER_S_MIN: Final = 0.05
RETRY_AFTER_S_MAX: Final = 1.0

_PASSING_KINDS = frozenset(
    {ErrorKind.UNAVAILABLE, ErrorKind.TIMED_OUT, ErrorKind.ABORTED, ErrorKind.EXHAUSTED}
)

log = structlog.get_logger(__name__)

_events = Counter(
    "blytz_consumer_events_total",
    "Events by what became of them: handled, duplicate, ignored, parked.",
    ["consumer", "outcome"],
)
_lag_seconds = Histogram(
    "blytz_consumer_lag_seconds",
    "From the commit of an event to the commit of its effects, the first event of each batch.",
    ["consumer"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30, 300, 3600),
)


@dataclass(slots=True)
class Outcome:
    """What became of a batch.

    ``handled_count`` messages from the first on are done with, some of them as ``dead_letters`` to
    be parked; the rest waits for something that is away for the moment.
    """

    handled_count: int = 0
    dead_letters: list[DeadLetter] = field(default_factory=list)


class BatchHandler:
    """Handles batches of Kafka's messages for one consumer."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        consumer: str,
        event_types: frozenset[str] | None,
        attempts_max: int,
    ) -> None:
        self._inbox = inbox
        self._event_types = event_types
        self._attempts_max = attempts_max
        self._log = log.bind(consumer=consumer)
        self._lag_seconds = _lag_seconds.labels(consumer)
        self._handled = _events.labels(consumer, "handled")
        self._duplicate = _events.labels(consumer, "duplicate")
        self._ignored = _events.labels(consumer, "ignored")
        self._parked = _events.labels(consumer, "parked")

    async def handle(self, messages: Sequence[Message]) -> Outcome:
        """Handle the messages in order, in one transaction unless one of them fails."""
        try:
            await self._apply([self._read(message) for message in messages])
        except Exception as fault:  # noqa: BLE001 - whatever it is, it must not stop the others
            if is_passing(fault):
                return self._postponed(Outcome(), fault)
        else:
            return Outcome(handled_count=len(messages))
        outcome = Outcome()
        for message in messages:
            try:
                await self._handle_one(message, outcome)
            except BlytzError as fault:
                return self._postponed(outcome, fault)
            outcome.handled_count += 1
        return outcome

    async def _handle_one(self, message: Message, outcome: Outcome) -> None:
        """Handle a message, or give up on it; raise only what will pass."""
        attempt = 0
        while True:
            attempt += 1
            try:
                await self._apply([self._read(message)])
            except Exception as fault:
                if is_passing(fault):
                    raise
                if attempt < self._attempts_max and not isinstance(fault, DecodeError):
                    await asyncio.sleep(retry_after_s(attempt))
                    continue
                # Its name alone: the text may hold what no log should.
                self._log.error(
                    "event_parked",
                    topic=message.topic(),
                    partition=message.partition(),
                    offset=message.offset(),
                    error=type(fault).__name__,
                    attempts=attempt,
                )
                self._parked.inc()
                outcome.dead_letters.append(DeadLetter(message, fault))
            return

    async def _apply(self, events: Sequence[Event]) -> None:
        wanted = [
            event
            for event in events
            if self._event_types is None or event.type in self._event_types
        ]
        if wanted:
            new_count = await self._inbox.apply(wanted)
            self._handled.inc(new_count)
            self._duplicate.inc(len(wanted) - new_count)
            lag_s = time.time() - wanted[0].occurred_at.ToNanoseconds() / 1e9
            self._lag_seconds.observe(max(0.0, lag_s))
        self._ignored.inc(len(events) - len(wanted))

    def _read(self, message: Message) -> Event:
        return Event.FromString(message.value() or b"")

    def _postponed(self, outcome: Outcome, fault: Exception) -> Outcome:
        self._log.warning("events_postponed", error=str(fault))
        return outcome


def is_passing(fault: Exception) -> bool:
    """Tell whether a fault is not the event's: the same event may succeed a little later."""
    return isinstance(fault, BlytzError) and fault.kind in _PASSING_KINDS


def retry_after_s(attempt: int) -> float:
    """Return how long to wait after this attempt, from 1: doubling, with a jitter."""
    doubled_s = RETRY_AFTER_S_MIN * 2.0 ** (attempt - 1)
    return min(doubled_s, RETRY_AFTER_S_MAX) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
