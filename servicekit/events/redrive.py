"""Redriving: a consumer's dead letters are handled again, once the reason is mended."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from kernel.ids import new_id
from servicekit.errors import DependencyUnavailable
from servicekit.events.dead_letters import (
    CONSUMER_HEADER,
    REDRIVE_HEADER,
    DeadLetterBox,
    NotParked,
    headers_of,
)
from servicekit.events.handling import BatchHandler

_ANSWER_WITHIN_S: Final = 10.0


@dataclass(slots=True)
class Redriven:
    """How many dead letters were handled, and how many failed again."""

    handled_count: int = 0
    parked_count: int = 0


class Redrive:
    """One round over the dead letters of one consumer, from where the last round ended."""

    def __init__(
        self,
        *,
        name: str,
        topics: Sequence[str],
        kafka_bootstrap: str,
        batches: BatchHandler,
        box: DeadLetterBox,
    ) -> None:
        self._name = name
        self._topics = topics
        self._kafka_bootstrap = kafka_bootstrap
        self._batches = batches
        self._box = box
        self._round = new_id()
        self._redriven = Redriven()

    async def run(self) -> Redriven:
        """Handle what there is; ``DependencyUnavailable`` when a part is away: repeat it then."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix=f"{self._name}-redrive") as thread:
            await loop.run_in_executor(thread, self._read_all, loop)
        return self._redriven

    def _read_all(self, loop: asyncio.AbstractEventLoop) -> None:
        consumer = KafkaConsumer(
            {
                "bootstrap.servers": self._kafka_bootstrap,
                "group.id": f"{self._name}.redrive",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "allow.auto.create.topics": False,
                "enable.partition.eof": True,
            },
            logger=logging.getLogger("kafka.redrive"),
        )
        try:
            open_parts = self._assign(consumer)
            while open_parts:
                message = consumer.poll(_ANSWER_WITHIN_S)
                if message is None:
                    raise DependencyUnavailable(dependency="kafka")
                part = (message.topic(), message.partition())
                if message.error() is not None:
                    self._require_end(message)
                    open_parts.discard(part)
                elif part in open_parts:
                    if headers_of(message).get(REDRIVE_HEADER) == self._round:
                        # Parked again just now: here the next round begins.
                        open_parts.discard(part)
                        continue
                    self._handle(message, loop)
                    consumer.commit(message=message, asynchronous=False)
        except (KafkaException, NotParked) as error:
            raise DependencyUnavailable(dependency="kafka") from error
        finally:
            consumer.close()

    def _assign(self, consumer: KafkaConsumer) -> set[tuple[str | None, int | None]]:
        metadata = consumer.list_topics(timeout=_ANSWER_WITHIN_S)
        parts = [
            TopicPartition(topic, partition)
            for topic in self._topics
            if topic in metadata.topics
            for partition in metadata.topics[topic].partitions
        ]
        # Without a membership: the one who redrives has the whole topic.
        consumer.assign(consumer.committed(parts, timeout=_ANSWER_WITHIN_S))
        return {(part.topic, part.partition) for part in parts}

    def _require_end(self, message: Message) -> None:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
            raise KafkaException(error)

    def _handle(self, message: Message, loop: asyncio.AbstractEventLoop) -> None:
        if headers_of(message).get(CONSUMER_HEADER) != self._name:
            return
        handling = asyncio.run_coroutine_threadsafe(self._batches.handle([message]), loop)
        outcome = handling.result()
        if not outcome.handled_count:
            raise DependencyUnavailable(dependency="what the handler needs")
        self._box.park(outcome.dead_letters, redrive=self._round)
        if outcome.dead_letters:
            self._redriven.parked_count += 1
        else:
            self._redriven.handled_count += 1
