"""The consumer: handles others' events, each once, and never skips one silently.

Kafka's client runs on a thread of its own; the handling runs on the service's loop. A batch is
handled in one transaction together with the notes of the inbox, then its dead letters are parked,
then its offsets are committed: whatever is cut off in between comes again and has no effect twice.
What fails is tried again, one event at a time; after the last attempt it is parked in the topic of
dead letters, and later events flow. While the database or Kafka is away, everything waits.
"""

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import structlog
from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from kernel.errors import BlytzError
from servicekit.errors import DependencyUnavailable
from servicekit.events.dead_letters import DeadLetterBox, NotParked, dead_letter_topic
from servicekit.events.handling import BatchHandler, Outcome, retry_after_s
from servicekit.events.inbox import Handler, Inbox
from servicekit.events.kafka_topics import admin_client, create_missing
from servicekit.events.redrive import Redrive, Redriven
from servicekit.postgres import Database

BATCH_MESSAGES_MAX: Final = 500
ATTEMPTS_MAX: Final = 5
FORGET_EVERY_S: Final = 3600.0
_POLL_S: Final = 0.1

log = structlog.get_logger(__name__)


class Consumer:
    """Handles the events of ``topics`` for the service that calls itself ``name``.

    All replicas of the service share the work, as the Kafka group ``name``, each key in order.
    ``handle(connection, event)`` applies one event in the transaction that it is given. With
    ``event_types`` only events of these types are handled; the rest is none of the service's
    business. An event is parked after ``attempts_max`` failures of its own.
    """

    def __init__(
        self,
        *,
        name: str,
        topics: Sequence[str],
        database: Database,
        kafka_bootstrap: str,
        handle: Handler,
        event_types: frozenset[str] | None = None,
        attempts_max: int = ATTEMPTS_MAX,
    ) -> None:
        self._name = name
        self._topics = list(topics)
        self._kafka_bootstrap = kafka_bootstrap
        self._inbox = Inbox(database=database, consumer=name, handle=handle)
        self._batches = BatchHandler(
            inbox=self._inbox, consumer=name, event_types=event_types, attempts_max=attempts_max
        )
        self._box = DeadLetterBox(kafka_bootstrap=kafka_bootstrap, consumer=name)
        self._log = log.bind(consumer=name)

    async def run(self) -> None:
        """Consume until cancelled, and then finish the batch under way."""
        stopping = threading.Event()
        loop = asyncio.get_running_loop()
        forgetting = asyncio.create_task(self._forget_old(), name=f"{self._name}-inbox")
        with ThreadPoolExecutor(1, thread_name_prefix=f"{self._name}-consumer") as thread:
            consuming = loop.run_in_executor(thread, self._consume, loop, stopping)
            try:
                await asyncio.shield(consuming)
            finally:
                stopping.set()
                forgetting.cancel()
                await asyncio.gather(consuming, forgetting, return_exceptions=True)

    async def redrive(self) -> Redriven:
        """Handle this consumer's dead letters again; those that fail again are parked anew.

        It ends with the last dead letter there was. An event that was handled meanwhile has no
        effect, so it may be repeated.
        """
        redrive = Redrive(
            name=self._name,
            topics=[dead_letter_topic(topic) for topic in self._topics],
            kafka_bootstrap=self._kafka_bootstrap,
            batches=self._batches,
            box=self._box,
        )
        return await redrive.run()

    async def _forget_old(self) -> None:
        while True:
            try:
                await self._inbox.forget_old()
            except BlytzError as error:
                self._log.info("inbox_forgetting_postponed", error=str(error))
            await asyncio.sleep(FORGET_EVERY_S)

    def _consume(self, loop: asyncio.AbstractEventLoop, stopping: threading.Event) -> None:
        self._create_topics()
        consumer = KafkaConsumer(
            group_settings(self._kafka_bootstrap, self._name),
            logger=logging.getLogger("kafka.consumer"),
        )
        try:
            consumer.subscribe(self._topics)
            attempt = 0
            while not stopping.is_set():
                if not (messages := self._next_batch(consumer)):
                    continue
                handling = asyncio.run_coroutine_threadsafe(self._batches.handle(messages), loop)
                done_count = self._settle(consumer, messages, handling.result())
                if done_count == len(messages):
                    attempt = 0
                    continue
                _rewind(consumer, messages[done_count:])
                attempt += 1
                stopping.wait(retry_after_s(attempt))
        finally:
            consumer.close()

    def _create_topics(self) -> None:
        admin = admin_client(self._kafka_bootstrap)
        topics = [*self._topics, *map(dead_letter_topic, self._topics)]
        try:
            create_missing(admin, topics)
        except KafkaException as error:
            raise DependencyUnavailable(dependency="kafka", retry_after_s=1.0) from error

    def _next_batch(self, consumer: KafkaConsumer) -> list[Message]:
        """Return what is there, as soon as anything is; nothing after a moment."""
        first = consumer.poll(_POLL_S)
        if first is None:
            return []
        messages = []
        for message in [first, *consumer.consume(BATCH_MESSAGES_MAX - 1, 0)]:
            if (error := message.error()) is None:
                messages.append(message)
            elif error.fatal():
                raise KafkaException(error)
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - a code of the library
                self._log.warning("kafka_error", error=str(error))
        return messages

    def _settle(
        self, consumer: KafkaConsumer, messages: Sequence[Message], outcome: Outcome
    ) -> int:
        """Park what failed and commit what is done; return how many messages are done."""
        done_count = outcome.handled_count
        try:
            self._box.park(outcome.dead_letters)
        except NotParked as fault:
            self._log.warning("dead_letters_not_parked", error=str(fault))
            done_count = messages.index(outcome.dead_letters[0].message)
        if done_count:
            try:
                consumer.commit(offsets=_after(messages[:done_count]), asynchronous=False)
            except KafkaException as fault:
                # They come again, to this replica or another; the inbox knows them.
                self._log.info("offsets_not_committed", error=str(fault))
        return done_count


def group_settings(kafka_bootstrap: str, group: str) -> dict[str, Any]:
    """Return the settings of a group's client: no offset is committed but by us.

    The short session lets a group form in seconds with the embedded broker.
    """
    return {
        "bootstrap.servers": kafka_bootstrap,
        "group.id": group,
        "client.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "allow.auto.create.topics": False,
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 200,
        "fetch.wait.max.ms": 100,
        "reconnect.backoff.max.ms": 1000,
    }


def _after(messages: Sequence[Message]) -> list[TopicPartition]:
    """Return, for each partition, the offset that follows its last message."""
    last = {(message.topic(), message.partition()): message.offset() for message in messages}
    return [
        TopicPartition(str(topic), int(partition or 0), int(offset or 0) + 1)
        for (topic, partition), offset in last.items()
    ]


def _rewind(consumer: KafkaConsumer, messages: Sequence[Message]) -> None:
    """Let these messages come again."""
    first: dict[tuple[str | None, int | None], int] = {}
    for message in messages:
        first.setdefault((message.topic(), message.partition()), int(message.offset() or 0))
    for (topic, partition), offset in first.items():
        try:
            consumer.seek(TopicPartition(str(topic), int(partition or 0), offset))
        except KafkaException:
            # No longer ours: whoever has the partition now begins at the committed offset.
            log.info("partition_moved", topic=topic, partition=partition)
