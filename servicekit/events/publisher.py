"""Writes batches of outbox rows to Kafka and says which of them it has, on a thread of its own."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient

from servicekit.events.kafka_topics import TopicLog, admin_client, create_missing, read_topic_logs
from servicekit.events.outbox_rows import Place, Row

ACKNOWLEDGED_WITHIN_S = 10.0
BROKERS_BACK_WITHIN_S = 1.0
_POLL_S = 0.05

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a batch.

    ``places`` are those of the leading rows that Kafka has acknowledged; the rest must be sent
    again, in order, and ``fault`` says why.
    """

    places: Sequence[Place]
    fault: str = ""


class KafkaAway(Exception):
    """The broker did not answer."""


@dataclass(slots=True)
class _Batch:
    """The delivery reports of a batch; a place stays empty until Kafka has acknowledged it."""

    places: list[Place | None]
    waiting: int = 0
    fault: str = ""

    def report(self, index: int, error: KafkaError | None, message: Message) -> None:
        """Take down one report; runs within ``poll``, for each row."""
        self.waiting -= 1
        if error is None:
            # Present in a report without error, whatever the type says.
            place = message.partition(), message.offset()
            self.places[index] = Place(*place)  # type: ignore[arg-type]
        elif not self.fault:
            self.fault = str(error)

    def acknowledged(self) -> list[Place]:
        """Return the places up to the first row that has none."""
        leading: list[Place] = []
        for place in self.places:
            if place is None:
                break
            leading.append(place)
        return leading


@dataclass(slots=True)
class Publisher:
    """Kafka as the relay needs it. One batch at a time; all of Kafka's calls on one thread.

    A producer that had a fault is given up: it may hold rows that must not be sent after
    others, and a broker that restarted may no longer know it.
    """

    bootstrap: str
    name: str
    partition_count: int
    _executor: ThreadPoolExecutor = field(init=False)
    _admin: AdminClient | None = None
    _producer: Producer | None = None
    _brokers_lost: bool = False
    _closed: bool = False

    def __post_init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"{self.name}-relay-kafka")

    async def publish(self, rows: Sequence[Row]) -> Published:
        """Write the rows in order; return when Kafka has acknowledged all, or has failed.

        It fails as well, before it writes anything, if every broker was out of reach since the
        last batch: their logs may be others now.
        """
        return await self._on_thread(partial(self._publish, rows))

    async def topic_logs(self, topics: Iterable[str]) -> dict[str, TopicLog]:
        """Return the logs behind the topics, which are created where missing.

        It also lets the producer introduce itself to the broker, which takes half a second in the
        background. ``KafkaAway`` if the broker does not answer.
        """
        return await self._on_thread(partial(self._topic_logs, sorted(topics)))

    async def close(self) -> None:
        """Give up what is under way and end the thread."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._executor, self._give_up_producer)
        self._executor.shutdown(wait=False)

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _publish(self, rows: Sequence[Row]) -> Published:
        producer = self._producer = self._producer or self._connect()
        producer.poll(0)
        batch = _Batch(places=[None] * len(rows))
        if self._brokers_lost:
            batch.fault = "every broker was out of reach"
        else:
            self._produce(producer, rows, batch)
        if batch.fault:
            self._give_up_producer()
        return Published(batch.acknowledged(), batch.fault)

    def _produce(self, producer: Producer, rows: Sequence[Row], batch: _Batch) -> None:
        report = batch.report
        try:
            for index, row in enumerate(rows):
                producer.produce(
                    row.topic, row.payload, row.key, on_delivery=partial(report, index)
                )
                batch.waiting += 1
            self._await_reports(producer, batch)
        except (KafkaException, BufferError) as error:
            batch.fault = str(error)
        if batch.waiting and not batch.fault:
            batch.fault = "Kafka did not acknowledge in time"

    def _await_reports(self, producer: Producer, batch: _Batch) -> None:
        give_up_at_s = time.monotonic() + ACKNOWLEDGED_WITHIN_S
        while batch.waiting and not batch.fault and not self._closed:
            producer.poll(_POLL_S)
            now_s = time.monotonic()
            if self._brokers_lost:
                give_up_at_s = min(give_up_at_s, now_s + BROKERS_BACK_WITHIN_S)
            if now_s > give_up_at_s:
                return

    def _topic_logs(self, topics: Sequence[str]) -> dict[str, TopicLog]:
        self._admin = self._admin or admin_client(self.bootstrap)
        self._producer = self._producer or self._connect()
        try:
            logs = read_topic_logs(self._admin, topics)
            if missing := [topic for topic in topics if topic not in logs]:
                create_missing(self._admin, missing, partition_count=self.partition_count)
                logs |= read_topic_logs(self._admin, missing)
        except KafkaException as error:
            raise KafkaAway(str(error)) from error
        return logs

    def _connect(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "client.id": f"{self.name}-relay",
                "enable.idempotence": True,
                "acks": "all",
                # The batch waits at most this long for company, and it comes as a batch anyway.
                "linger.ms": 0.5,
                # As the clients in other languages place keys.
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
                "allow.auto.create.topics": False,
                # Rows never expire one by one, which could let a later one pass an earlier:
                # a batch is given up as a whole.
                "message.timeout.ms": int(ACKNOWLEDGED_WITHIN_S * 10_000),
                "reconnect.backoff.max.ms": 1000,
                "error_cb": self._on_client_error,
            },
            logger=logging.getLogger("kafka.relay"),
        )

    def _on_client_error(self, error: Any) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - a code of the library
            self._brokers_lost = True

    def _give_up_producer(self) -> None:
        producer, self._producer = self._producer, None
        self._brokers_lost = False
        if producer is not None:
            producer.purge()
            producer.poll(0)
