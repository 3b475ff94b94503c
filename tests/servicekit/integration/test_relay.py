"""The relay against a real Postgres and a real broker."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from fakes.event_world import (
    BrokerProcess,
    SentRecord,
    by_key,
    event_database,
    read_topic,
    relaying,
    unsent_count,
    until_sent,
    write,
)
from kernel.ids import new_id
from servicekit.events.lease import Lease
from servicekit.events.outbox import OutboxEvent, append
from servicekit.events.relay import Relay
from servicekit.postgres import Database
from stack.parts.postgres import Postgres
from stack.ports import PortReservations


@pytest.fixture
def topic() -> str:
    return f"test.{new_id()}"


@pytest.fixture
async def database(postgres_server: Postgres) -> AsyncIterator[Database]:
    async with event_database(postgres_server) as (database, _url):
        yield database


@pytest.fixture
async def broker(
    port_reservations: PortReservations, tmp_path: Path
) -> AsyncIterator[BrokerProcess]:
    broker = BrokerProcess(port=port_reservations.take(), folder=tmp_path)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.kill()


def lost_count(outbox: str) -> float:
    return REGISTRY.get_sample_value("blytz_outbox_lost_total", {"outbox": outbox}) or 0.0


async def test_events_of_a_key_arrive_in_the_order_of_writing(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    relay = Relay(database=database, kafka_bootstrap=kafka_bootstrap, name="test")
    async with relaying(relay):
        for first in range(0, 6000, 1000):
            await write(
                database, topic, [(f"key {i % 7}", str(i)) for i in range(first, first + 1000)]
            )
            relay.wake()
        await until_sent(database)
    texts = by_key(await read_topic(kafka_bootstrap, topic, count=6000))
    assert texts == {f"key {k}": [str(i) for i in range(6000) if i % 7 == k] for k in range(7)}


async def test_an_event_is_marked_with_its_place_in_kafka(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    relay = Relay(database=database, kafka_bootstrap=kafka_bootstrap, name="test")
    async with relaying(relay):
        await write(database, topic, [(f"key {i}", str(i)) for i in range(50)])
        await until_sent(database)
    async with database.read() as connection:
        cursor = await connection.execute(
            "select kafka_partition, kafka_offset, partition_key, payload from outbox"
            " where sent_at >= created_at"
        )
        marked = set(await cursor.fetchall())
    assert marked == {tuple(r) for r in await read_topic(kafka_bootstrap, topic, count=50)}


async def test_what_commits_late_with_an_earlier_id_is_not_lost(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    relay = Relay(database=database, kafka_bootstrap=kafka_bootstrap, name="test")
    async with relaying(relay):
        async with database.transaction() as late:
            await append(late, [OutboxEvent(topic, "late", b"late")])
            for round_number in range(30):
                await write(database, topic, [("early", str(round_number))])
                relay.wake()
                # Longer than the relay scans from the start, so that its floor has passed the id.
                await asyncio.sleep(0.2)
            await until_sent(database)
        await until_sent(database)
    texts = by_key(await read_topic(kafka_bootstrap, topic, count=31))
    assert texts == {"late": ["late"], "early": [str(i) for i in range(30)]}


async def test_two_relays_share_one_lease_and_send_once(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    relays = [
        Relay(database=database, kafka_bootstrap=kafka_bootstrap, name="test") for _ in range(2)
    ]
    async with relaying(relays[0]), relaying(relays[1]):
        for i in range(40):
            await write(database, topic, [("key", str(i))])
            relays[i % 2].wake()
            await asyncio.sleep(0.02)
        await until_sent(database)
    texts = by_key(await read_topic(kafka_bootstrap, topic, count=40))
    assert texts == {"key": [str(i) for i in range(40)]}


class LeaseOfTheKilled(Lease):
    """A killed process releases nothing."""

    async def release(self) -> None:
        return


async def test_another_relay_goes_on_when_the_leaseholder_is_killed(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    killed = Relay(
        database=database,
        kafka_bootstrap=kafka_bootstrap,
        name="test",
        lease=LeaseOfTheKilled(database=database, lease_s=1.0),
    )
    other = Relay(
        database=database,
        kafka_bootstrap=kafka_bootstrap,
        name="test",
        lease=Lease(database=database, lease_s=1.0),
    )
    async with relaying(killed):
        await write(database, topic, [("key", "before")])
        await until_sent(database)
    await write(database, topic, [("key", "after")])
    started_s = time.monotonic()
    async with relaying(other):
        await asyncio.sleep(0.3)
        assert await unsent_count(database) == 1
        await until_sent(database)
    assert time.monotonic() - started_s < 8.0
    assert by_key(await read_topic(kafka_bootstrap, topic, count=2)) == {"key": ["before", "after"]}


async def test_a_released_lease_is_free_at_once(database: Database) -> None:
    first, second = Lease(database=database), Lease(database=database)
    assert await first.acquire()
    assert not await second.acquire()
    assert first.is_held
    assert not second.is_held
    assert await first.acquire()
    assert first.is_contended
    await first.release()
    assert not first.is_held
    assert await second.acquire()
    assert not await first.acquire()


async def test_rows_wait_while_kafka_is_away_and_go_out_in_order(
    database: Database, broker: BrokerProcess, topic: str
) -> None:
    await broker.kill()
    relay = Relay(database=database, kafka_bootstrap=broker.bootstrap, name="test")
    async with relaying(relay):
        for i in range(20):
            await write(database, topic, [("key", str(i))])
            relay.wake()
        cpu_started_s = time.process_time()
        await asyncio.sleep(3.0)
        cpu_s = time.process_time() - cpu_started_s
        assert await unsent_count(database) == 20
        await broker.start()
        await until_sent(database)
    assert cpu_s < 0.6, "it must not spin while it waits"
    assert by_key(await read_topic(broker.bootstrap, topic, count=20)) == {
        "key": [str(i) for i in range(20)]
    }


async def test_a_broker_that_lost_its_log_gets_the_events_again_in_order(
    database: Database, broker: BrokerProcess, topic: str
) -> None:
    relay = Relay(database=database, kafka_bootstrap=broker.bootstrap, name="losing")
    async with relaying(relay):
        await write(database, topic, [(f"key {i % 3}", str(i)) for i in range(300)])
        await until_sent(database)
        await broker.kill()
        await broker.start()
        # While the broker is new and nobody has looked yet, something more is written.
        await write(database, topic, [(f"key {i % 3}", str(i)) for i in range(300, 330)])
        relay.wake()
        await asyncio.sleep(0.5)
        async with asyncio.timeout(20):
            while not lost_count("losing"):  # noqa: ASYNC110 - a counter wakes nobody
                await asyncio.sleep(0.05)
        await until_sent(database)
    texts = by_key(await read_topic(broker.bootstrap, topic, count=330))
    assert texts == {f"key {k}": [str(i) for i in range(330) if i % 3 == k] for k in range(3)}


async def test_a_lost_log_is_noticed_by_the_next_relay_at_its_start(
    database: Database, broker: BrokerProcess, topic: str
) -> None:
    async with relaying(Relay(database=database, kafka_bootstrap=broker.bootstrap, name="test")):
        await write(database, topic, [("key", str(i)) for i in range(10)])
        await until_sent(database)
    await broker.kill()
    await broker.start()
    assert await unsent_count(database) == 0
    async with relaying(Relay(database=database, kafka_bootstrap=broker.bootstrap, name="test")):
        records: list[SentRecord] = []
        async with asyncio.timeout(20):
            while len(records) < 10:
                await asyncio.sleep(0.2)
                try:
                    records = await read_topic(broker.bootstrap, topic, count=0)
                except KeyError:
                    continue
    assert by_key(records) == {"key": [str(i) for i in range(10)]}


async def test_a_restart_of_the_relay_sends_nothing_twice(
    database: Database, kafka_bootstrap: str, topic: str
) -> None:
    for i in range(3):
        relay = Relay(database=database, kafka_bootstrap=kafka_bootstrap, name="test")
        async with relaying(relay):
            await write(database, topic, [("key", f"{i}.{j}") for j in range(100)])
            await until_sent(database)
    texts = by_key(await read_topic(kafka_bootstrap, topic, count=300))
    assert texts == {"key": [f"{i}.{j}" for i in range(3) for j in range(100)]}
