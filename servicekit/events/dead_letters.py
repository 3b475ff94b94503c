"""Dead letters: events that a consumer could not handle wait in ``<topic>.dlq``, with the reason.

The record is the original one, key and value; its headers say who gave up and why. Blocking: for
the consumer's thread.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaException, Message, Producer

SUFFIX: Final = ".dlq"
REASON_LENGTH_MAX: Final = 500
_ACKNOWLEDGED_WITHIN_S: Final = 10.0

CONSUMER_HEADER: Final = "blytz-consumer"
REASON_HEADER: Final = "blytz-reason"
TOPIC_HEADER: Final = "blytz-topic"
PARTITION_HEADER: Final = "blytz-partition"
OFFSET_HEADER: Final = "blytz-offset"
REDRIVE_HEADER: Final = "blytz-redrive"


class NotParked(Exception):
    """Kafka has not taken the dead letter."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be handled, and why."""

    message: Message
    fault: Exception

    @property
    def reason(self) -> str:
        """The fault in a line: for the headers, not for logs, as it may name what it was about."""
        text = " ".join(f"{type(self.fault).__name__}: {self.fault}".split())
        return text[:REASON_LENGTH_MAX]


def dead_letter_topic(topic: str) -> str:
    """Return the topic of the dead letters of a topic; that of dead letters is its own."""
    return topic if topic.endswith(SUFFIX) else topic + SUFFIX


def headers_of(message: Message) -> dict[str, str]:
    """Return the headers of a message as text."""
    return {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for name, value in _pairs(message.headers())
    }


def _pairs(headers: Any) -> list[tuple[str, str | bytes | None]]:
    if isinstance(headers, Mapping):
        return list(headers.items())
    return list(headers or ())


class DeadLetterBox:
    """Where one consumer puts its dead letters; it connects at the first."""

    def __init__(self, *, kafka_bootstrap: str, consumer: str) -> None:
        self._kafka_bootstrap = kafka_bootstrap
        self._consumer = consumer
        self._producer: Producer | None = None

    def park(self, letters: list[DeadLetter], *, redrive: str = "") -> None:
        """Put the letters into the topics of dead letters; ``NotParked`` unless Kafka has all.

        ``redrive`` names the round of redriving in which they failed again.
        """
        if not letters:
            return
        producer = self._producer = self._producer or self._connect()
        faults: list[str] = []

        def report(error: object, _message: Message) -> None:
            if error is not None:
                faults.append(str(error))

        try:
            for letter in letters:
                message = letter.message
                producer.produce(
                    dead_letter_topic(message.topic() or ""),
                    message.value(),
                    message.key(),
                    headers=self._headers(letter, redrive),
                    on_delivery=report,
                )
            unsent_count = producer.flush(_ACKNOWLEDGED_WITHIN_S)
        except (KafkaException, BufferError) as error:
            raise NotParked(str(error)) from error
        if faults or unsent_count:
            self._producer = None
            producer.purge()
            raise NotParked(faults[0] if faults else "Kafka did not acknowledge in time")

    def _headers(self, letter: DeadLetter, redrive: str) -> list[tuple[str, str | bytes | None]]:
        message = letter.message
        origin = {
            TOPIC_HEADER: message.topic() or "",
            PARTITION_HEADER: str(message.partition()),
            OFFSET_HEADER: str(message.offset()),
        }
        before = headers_of(message) if redrive else {}
        return [
            *(origin | {name: before[name] for name in origin if name in before}).items(),
            (CONSUMER_HEADER, self._consumer),
            (REASON_HEADER, letter.reason),
            (REDRIVE_HEADER, redrive),
        ]

    def _connect(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self._kafka_bootstrap,
                "client.id": f"{self._consumer}-dead-letters",
                "enable.idempotence": True,
                "acks": "all",
                "allow.auto.create.topics": False,
                "message.timeout.ms": int(_ACKNOWLEDGED_WITHIN_S * 1000),
            },
            logger=logging.getLogger("kafka.dead_letters"),
        )
