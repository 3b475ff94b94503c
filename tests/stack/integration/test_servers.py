"""The embedded servers, as every test and the stack use them."""

import psycopg
import redis.asyncio
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stack.parts.kafka import TOPICS, ensure_topics
from stack.parts.postgres import Postgres


async def test_a_database_belongs_to_a_role_of_its_own(postgres_server: Postgres) -> None:
    url = postgres_server.create_database("alpha")
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("create table notes (id uuid primary key)")
        row = await (await connection.execute("select current_user, current_database()")).fetchone()
    assert row is not None
    assert row[0] == row[1]
    assert row[0].startswith("alpha_")


async def test_a_bid_must_be_on_disk_before_it_is_acknowledged(postgres_server: Postgres) -> None:
    url = postgres_server.create_database("durable")
    async with await psycopg.AsyncConnection.connect(url) as connection:
        row = await (await connection.execute("show synchronous_commit")).fetchone()
    assert row == ("on",)


def test_topics_are_there_and_may_be_ensured_again(kafka_bootstrap: str) -> None:
    ensure_topics(kafka_bootstrap)
    client = AdminClient({"bootstrap.servers": kafka_bootstrap})
    topics = client.list_topics(timeout=5).topics
    for topic in TOPICS:
        assert len(topics[topic].partitions) == 8
        assert f"{topic}.dlq" in topics


def test_an_event_goes_through_the_broker(kafka_bootstrap: str) -> None:
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "enable.idempotence": True})
    partitions: list[int | None] = []
    producer.produce(
        "user.events",
        key=b"k",
        value=b"v",
        on_delivery=lambda _error, message: partitions.append(message.partition()),
    )
    assert producer.flush(10) == 0
    consumer = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": "servers-test"})
    consumer.assign([TopicPartition("user.events", partitions[0] or 0, 0)])
    message = consumer.poll(10)
    consumer.close()
    assert message is not None
    assert message.value() == b"v"


async def test_redis_asks_for_its_password(redis_url: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert await client.ping()
