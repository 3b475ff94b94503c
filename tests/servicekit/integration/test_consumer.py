"""The consumer against a real Postgres and a real broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from blytz.events.v1.event_pb2 import Event
from fakes.event_world import (
    BrokerProcess,
    event_database,
    read_messages,
    relaying,
    until_sent,
    user_joined,
)
from kernel.ids import new_id
from servicekit.errors import DependencyUnavailable
from servicekit.events.consumer import Consumer
from servicekit.events.dead_letters import headers_of
from servicekit.events.inbox import Handler, Inbox, first_id_of
from servicekit.events.outbox import OutboxEvent, append
from servicekit.events.relay import Relay
from servicekit.postgres import Connection, Database
from stack.parts.postgres import Postgres
from stack.ports import PortReservations

EFFECTS = "create table effect (position bigserial, event_id uuid, aggregate_id text)"


async def apply(connection: Connection, event: Event) -> None:
    await connection.execute(
        "insert into effect (event_id, aggregate_id) values (%s, %s)",
        (event.event_id, event.aggregate_id),
    )


async def effects(database: Database) -> list[str]:
    async with database.read() as connection:
        cursor = await connection.execute("select event_id from effect order by position")
        return [event_id for (event_id,) in await cursor.fetchall()]


async def until_effects(database: Database, count: int) -> list[str]:
    async with asyncio.timeout(25):
        while len(found := await effects(database)) < count:  # noqa: ASYNC110 - the database's turn
            await asyncio.sleep(0.05)
    return found


@contextlib.asynccontextmanager
async def consuming(consumer: Consumer) -> AsyncIterator[None]:
    task = asyncio.create_task(consumer.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def topic() -> str:
    return f"test.{new_id()}"


@pytest.fixture
async def database(postgres_server: Postgres) -> AsyncIterator[Database]:
    async with event_database(postgres_server, EFFECTS) as (database, _url):
        yield database


def consumer_of(
    database: Database, bootstrap: str, topic: str, *, handle: Handler = apply, **options: object
) -> Consumer:
    return Consumer(
        name=f"consumer of {topic}",
        topics=[topic],
        database=database,
        kafka_bootstrap=bootstrap,
        handle=handle,
        **options,  # type: ignore[arg-type]
    )


async def publish(bootstrap: str, topic: str, *values: bytes, key: str = "key") -> None:
    def produce() -> None:
        producer = Producer({"bootstrap.servers": bootstrap})
        for value in values:
            producer.produce(topic, value, key)
        assert producer.flush(10) == 0

    await asyncio.to_thread(produce)


def wire(*events: Event) -> list[bytes]:
    return [event.SerializeToString() for event in events]


async def test_events_are_handled_in_order_from_outbox_to_effect(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    events = [user_joined(aggregate_id="one") for _ in range(200)]
    async with database.transaction() as connection:
        await append(
            connection,
            [OutboxEvent(topic, "one", event.SerializeToString()) for event in events],
        )
    relay = Relay(database=database, kafka_bootstrap=kafka_bootstrap, name="test")
    async with relaying(relay), consuming(consumer_of(database, kafka_bootstrap, topic)):
        await until_sent(database)
        found = await until_effects(database, 200)
    assert found == [event.event_id for event in events]


async def test_a_duplicate_has_no_effect(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    first, second = user_joined(), user_joined()
    async with consuming(consumer_of(database, kafka_bootstrap, topic)):
        await asyncio.sleep(0.2)
        await publish(kafka_bootstrap, topic, *wire(first, first))
        await publish(kafka_bootstrap, topic, *wire(first, second))
        found = await until_effects(database, 2)
    assert found == [first.event_id, second.event_id]


async def test_a_restarted_consumer_goes_on_after_the_last_commit(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    seen: list[str] = []

    async def remember(connection: Connection, event: Event) -> None:
        seen.append(event.event_id)
        await apply(connection, event)

    first, second = user_joined(), user_joined()
    consumer = consumer_of(database, kafka_bootstrap, topic, handle=remember)
    async with consuming(consumer):
        await asyncio.sleep(0.2)
        await publish(kafka_bootstrap, topic, *wire(first))
        await until_effects(database, 1)
    async with consuming(consumer):
        await publish(kafka_bootstrap, topic, *wire(second))
        await until_effects(database, 2)
    assert seen == [first.event_id, second.event_id]


async def test_a_poison_message_is_parked_with_its_reason_and_later_ones_flow(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    good, poison, later = user_joined(), user_joined(aggregate_id="poison"), user_joined()
    tries = 0

    async def refuse_poison(connection: Connection, event: Event) -> None:
        nonlocal tries
        await apply(connection, event)
        if event.aggregate_id == "poison":
            tries += 1
            raise ValueError("this cannot be handled")

    consumer = consumer_of(database, kafka_bootstrap, topic, handle=refuse_poison, attempts_max=3)
    async with consuming(consumer):
        await asyncio.sleep(0.2)
        await publish(kafka_bootstrap, topic, *wire(good, poison), b"\xff no event", *wire(later))
        found = await until_effects(database, 2)
    assert found == [good.event_id, later.event_id]
    assert tries in {3, 4}, "three times alone, and once with others it may have come with"
    letters = await asyncio.to_thread(read_messages, kafka_bootstrap, f"{topic}.dlq", 2)
    assert [letter.value() for letter in letters] == [*wire(poison), b"\xff no event"]
    reason = headers_of(letters[0])
    assert reason["blytz-reason"] == "ValueError: this cannot be handled"
    assert reason["blytz-topic"] == topic
    assert reason["blytz-offset"] == "1"
    assert headers_of(letters[1])["blytz-reason"].startswith("DecodeError")


async def test_redriving_handles_what_was_parked_once_the_reason_is_mended(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    mended = False
    still_broken = user_joined(aggregate_id="broken for ever")
    events = [user_joined(), user_joined(), still_broken]

    async def refuse(connection: Connection, event: Event) -> None:
        if not mended or event.event_id == still_broken.event_id:
            raise ValueError("not yet")
        await apply(connection, event)

    consumer = consumer_of(database, kafka_bootstrap, topic, handle=refuse, attempts_max=1)
    async with consuming(consumer):
        await asyncio.sleep(0.2)
        await publish(kafka_bootstrap, topic, *wire(*events))
        await asyncio.to_thread(read_messages, kafka_bootstrap, f"{topic}.dlq", 3)
    mended = True
    redriven = await consumer.redrive()
    assert (redriven.handled_count, redriven.parked_count) == (2, 1)
    assert await effects(database) == [event.event_id for event in events[:2]]
    again = await consumer.redrive()
    assert (again.handled_count, again.parked_count) == (0, 1)
    assert await effects(database) == [event.event_id for event in events[:2]]


async def test_an_event_waits_while_something_it_needs_is_away(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    tries = 0

    async def need_something(connection: Connection, event: Event) -> None:
        nonlocal tries
        tries += 1
        if tries < 8:
            raise DependencyUnavailable(dependency="something")
        await apply(connection, event)

    events = [user_joined(), user_joined()]
    consumer = consumer_of(database, kafka_bootstrap, topic, handle=need_something, attempts_max=2)
    async with consuming(consumer):
        await asyncio.sleep(0.2)
        await publish(kafka_bootstrap, topic, *wire(*events))
        found = await until_effects(database, 2)
    assert found == [event.event_id for event in events]


async def test_events_of_other_types_are_passed_over(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    other, wanted = user_joined(event_type="seller.approved"), user_joined()
    consumer = consumer_of(database, kafka_bootstrap, topic, event_types=frozenset({"user.join"}))
    async with consuming(consumer):
        await asyncio.sleep(0.2)
        await publish(kafka_bootstrap, topic, *wire(other, wanted))
        found = await until_effects(database, 1)
    assert found == [wanted.event_id]


async def test_the_batch_under_way_is_finished_at_the_stop(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    begun = asyncio.Event()

    async def take_time(connection: Connection, event: Event) -> None:
        begun.set()
        await asyncio.sleep(0.5)
        await apply(connection, event)

    event = user_joined()
    async with consuming(consumer_of(database, kafka_bootstrap, topic, handle=take_time)):
        await asyncio.sleep(0.2)
        await publish(kafka_bootstrap, topic, *wire(event))
        await begun.wait()
    assert await effects(database) == [event.event_id]


async def test_after_the_broker_lost_everything_each_event_has_had_its_effect_once(
    database: Database,
    port_reservations: PortReservations,
    tmp_path: Path,
    topic: str,
) -> None:
    broker = BrokerProcess(port=port_reservations.take(), folder=tmp_path)
    await broker.start()
    relay = Relay(database=database, kafka_bootstrap=broker.bootstrap, name="test")
    events = [user_joined() for _ in range(40)]

    async def commit(part: list[Event]) -> None:
        async with database.transaction() as connection:
            await append(
                connection, [OutboxEvent(topic, "key", e.SerializeToString()) for e in part]
            )
        relay.wake()

    try:
        consumer = consumer_of(database, broker.bootstrap, topic)
        async with relaying(relay), consuming(consumer):
            await commit(events[:30])
            await until_effects(database, 30)
            await broker.kill()
            await commit(events[30:])
            await broker.start()
            found = await until_effects(database, 40)
    finally:
        await broker.kill()
    assert found == [event.event_id for event in events]


async def test_the_inbox_forgets_what_cannot_come_again(database: Database) -> None:
    inbox = Inbox(database=database, consumer="forgetful", handle=apply)
    old = user_joined()
    old.event_id = first_id_of(1_600_000_000_000)
    recent = user_joined()
    assert await inbox.apply([old, recent]) == 2
    assert await inbox.forget_old() == 1
    assert await inbox.apply([recent]) == 0
