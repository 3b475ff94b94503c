"""The hours of the outbox: made ahead, dropped whole, and never in the way of an event."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from fakes.event_world import event_database, write
from servicekit.errors import DependencyUnavailable
from servicekit.events.outbox import APPEND_SQL, OutboxEvent, append, append_parameters
from servicekit.events.outbox_rows import OutboxRows
from servicekit.postgres import Database
from stack.parts.postgres import Postgres


@pytest.fixture
async def database(postgres_server: Postgres) -> AsyncIterator[Database]:
    async with event_database(postgres_server) as (database, _url):
        yield database


async def partitions(database: Database) -> list[str]:
    async with database.read() as connection:
        cursor = await connection.execute(
            "select inhrelid::regclass::text from pg_inherits"
            " where inhparent = 'outbox'::regclass order by 1"
        )
        return [name for (name,) in await cursor.fetchall()]


async def add_hour(database: Database, hours_ago: int) -> str:
    async with database.transaction() as connection:
        cursor = await connection.execute(
            "select to_char((now() - make_interval(hours => %s)) at time zone 'UTC',"
            ' \'"outbox_"YYYYMMDD"_"HH24\'),'
            " date_trunc('hour', now() - make_interval(hours => %s), 'UTC')::text",
            (hours_ago, hours_ago),
        )
        row = await cursor.fetchone()
        assert row is not None
        name, starts_at = row
        await connection.execute(
            f"create table {name} partition of outbox for values"
            f" from ('{starts_at}') to ('{starts_at}'::timestamptz + interval '1 hour')".encode()
        )
        await connection.execute(
            "insert into outbox (topic, partition_key, payload, created_at)"
            " values ('old', 'key', '', %s::timestamptz + interval '1 minute')",
            (starts_at,),
        )
    return str(name)


async def mark_all_sent(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("update outbox set kafka_offset = 0, kafka_partition = 0")


async def where_rows_are(database: Database) -> dict[str, int]:
    async with database.read() as connection:
        cursor = await connection.execute(
            "select tableoid::regclass::text, count(*) from outbox group by 1"
        )
        return {name: count for name, count in await cursor.fetchall()}  # noqa: C416 - typed pairs


async def test_the_migration_makes_the_hours_to_come(database: Database) -> None:
    assert len(await partitions(database)) == 5
    await write(database, "topic", [("key", "text")])
    (name,) = await where_rows_are(database)
    assert name != "outbox_overflow"
    await OutboxRows(database).make_partitions()
    assert len(await partitions(database)) == 5


async def test_an_hour_that_was_sent_is_dropped_after_a_day(database: Database) -> None:
    old, recent = await add_hour(database, 26), await add_hour(database, 23)
    rows = OutboxRows(database)
    await rows.drop_partitions()
    assert old in await partitions(database), "a row in it waits"
    await mark_all_sent(database)
    await rows.drop_partitions()
    assert old not in await partitions(database)
    assert recent in await partitions(database)


async def test_rows_of_the_overflow_do_not_keep_later_hours_from_being_made(
    database: Database,
) -> None:
    async with database.transaction() as connection:
        for name in await partitions(database):
            if name != "outbox_overflow":
                await connection.execute(f"drop table {name}".encode())
    await write(database, "topic", [("key", "text")])
    assert await where_rows_are(database) == {"outbox_overflow": 1}
    rows = OutboxRows(database)
    await rows.make_partitions()
    assert len(await partitions(database)) == 4, "the present hour stays in the overflow"
    await write(database, "topic", [("key", "text")])
    assert await where_rows_are(database) == {"outbox_overflow": 2}


async def test_old_sent_rows_of_the_overflow_are_deleted(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "insert into outbox (topic, partition_key, payload, created_at)"
            " select 'topic', 'key', '', now() - make_interval(hours => hours)"
            " from unnest(array[30, 40, 50]) as hours"
        )
        await connection.execute(
            "update outbox set kafka_offset = 1 where created_at < now() - interval '35 hours'"
        )
    await OutboxRows(database).drop_partitions()
    assert await where_rows_are(database) == {"outbox_overflow": 1}


async def test_turning_gives_up_behind_a_long_transaction_and_stops_nobody(
    database: Database,
) -> None:
    await add_hour(database, 30)
    await mark_all_sent(database)
    rows = OutboxRows(database)
    async with database.transaction() as long:
        await long.execute(APPEND_SQL, append_parameters([OutboxEvent("topic", "key", b"")]))
        with pytest.raises(DependencyUnavailable):
            await rows.drop_partitions()
        async with asyncio.timeout(2):
            await write(database, "topic", [("key", "meanwhile")])
    await rows.drop_partitions()


async def test_events_are_written_within_a_pipeline(database: Database) -> None:
    events = [OutboxEvent("topic", f"key {i}", b"payload") for i in range(1000)]
    async with database.transaction() as connection, connection.pipeline():
        await connection.execute(APPEND_SQL, append_parameters(events))
        await connection.execute(APPEND_SQL, append_parameters(events[:1]))
    assert sum((await where_rows_are(database)).values()) == 1001


async def test_events_are_written_as_they_are_and_in_order(database: Database) -> None:
    odd_texts = ["", "NULL", 'quo"te', "back\\slash", "comma, {brace}", "blank ", "Größe 🏺", "\n"]
    written = [(text, text, bytes(range(256)) + text.encode()) for text in odd_texts]
    async with database.transaction() as connection:
        await append(connection, [OutboxEvent(*values) for values in written])
        await append(connection, [])
        await append(connection, [OutboxEvent("NULL", "null", b"")])
    async with database.read() as connection:
        cursor = await connection.execute(
            "select topic, partition_key, payload from outbox order by id"
        )
        assert await cursor.fetchall() == [*written, ("NULL", "null", b"")]


async def test_an_event_of_a_transaction_that_failed_is_not_there(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await connection.execute(APPEND_SQL, append_parameters([OutboxEvent("t", "k", b"")]))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await where_rows_are(database) == {}
