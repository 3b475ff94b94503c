"""What the tests of events need: databases with an outbox, events, a broker that can be killed."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from google.protobuf.timestamp_pb2 import Timestamp

from blytz.events.v1.event_pb2 import Event
from kernel.ids import new_id
from servicekit.events import schema
from servicekit.events.outbox import OutboxEvent, append
from servicekit.events.relay import Relay
from servicekit.postgres import Database
from stack.parts.kafka import Kafka
from stack.parts.postgres import Postgres
from stack.process import Process


class SentRecord(NamedTuple):
    partition: int
    offset: int
    key: str
    value: bytes


class BrokerProcess:
    """A broker of one's own, in memory: killed, it forgets everything."""

    def __init__(self, *, port: int, folder: Path) -> None:
        self._part = Kafka(port=port)
        self._log_path = folder / "broker.log"
        self._process: Process | None = None
        self.bootstrap = self._part.bootstrap

    async def start(self) -> None:
        command = self._part.command()
        assert command is not None
        self._process = Process.start(command, log_path=self._log_path)
        while True:
            try:
                await self._part.probe()
            except Exception:  # noqa: BLE001 - it is not up yet
                await asyncio.sleep(0.02)
            else:
                return

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None


@contextlib.asynccontextmanager
async def event_database(
    postgres_server: Postgres, *extra_sql: str
) -> AsyncIterator[tuple[Database, str]]:
    url = await asyncio.to_thread(postgres_server.create_database, "events")
    async with Database.open(url) as database:
        async with database.transaction() as connection:
            for sql in (schema.outbox_sql(), schema.inbox_sql(), *extra_sql):
                await connection.execute(sql.encode())
        yield database, url


@contextlib.asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def write(database: Database, topic: str, rows: Iterable[tuple[str, str]]) -> None:
    """Commit events whose payload is a short text."""
    async with database.transaction() as connection:
        await append(connection, [OutboxEvent(topic, key, text.encode()) for key, text in rows])


async def unsent_count(database: Database) -> int:
    async with database.read() as connection:
        cursor = await connection.execute("select count(*) from outbox where kafka_offset is null")
        row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def until_sent(database: Database, *, within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while await unsent_count(database):  # noqa: ASYNC110 - it is the database we wait for
            await asyncio.sleep(0.02)


async def read_topic(bootstrap: str, topic: str, *, count: int) -> list[SentRecord]:
    """Read a topic from its start until ``count`` records came and no more follow."""
    return await asyncio.to_thread(_read_topic, bootstrap, topic, count)


def _read_topic(bootstrap: str, topic: str, count: int) -> list[SentRecord]:
    return [
        SentRecord(
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            key=(message.key() or b"").decode(),
            value=message.value() or b"",
        )
        for message in read_messages(bootstrap, topic, count)
    ]


def read_messages(bootstrap: str, topic: str, count: int) -> list[Message]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": new_id(),
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        messages: list[Message] = []
        give_up_at_s = time.monotonic() + 10.0
        while time.monotonic() < give_up_at_s:
            message = consumer.poll(0.3)
            if message is None:
                if len(messages) >= count:
                    break
            elif (error := message.error()) is not None:
                raise KafkaException(error)
            else:
                messages.append(message)
        return messages
    finally:
        consumer.close()


def by_key(records: Iterable[SentRecord]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        texts.setdefault(record.key, []).append(record.value.decode())
    return texts


def user_joined(*, aggregate_id: str = "", event_type: str = "user.join") -> Event:
    occurred_at = Timestamp()
    occurred_at.GetCurrentTime()
    return Event(
        event_id=new_id(),
        type=event_type,
        aggregate_id=aggregate_id or new_id(),
        sequence=1,
        occurred_at=occurred_at,
    )
