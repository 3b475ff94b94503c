import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg import errors

from fakes.postgres_proxy import PostgresProxy
from kernel.errors import DependencyUnavailable
from kernel.ids import new_id
from servicekit import postgres
from servicekit.postgres import Connection, Database
from stack.parts.postgres import Postgres
from stack.ports import PortReservations


@pytest.fixture(scope="module")
def url(postgres_server: Postgres) -> str:
    address = postgres_server.create_database("servicekit")
    with psycopg.connect(address) as connection:
        connection.execute("create table things (id uuid primary key, number int)")
    return address


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database.open(url, pool_max=3, application_name="things") as opened:
        yield opened


async def number_of(database: Database, thing_id: str) -> int | None:
    async with database.read() as connection:
        found = await connection.execute("select number from things where id = %s", (thing_id,))
        row = await found.fetchone()
        return None if row is None else int(row[0])


async def add(connection: Connection, thing_id: str, number: int = 1) -> None:
    await connection.execute("insert into things values (%s, %s)", (thing_id, number))


async def test_ids_come_back_as_canonical_text(database: Database) -> None:
    thing_id = new_id(shard=200)
    async with database.transaction() as connection:
        await add(connection, thing_id)
        row = await (
            await connection.execute("select id, %s::uuid[] from things where id = %s",
                                     ([thing_id.upper()], thing_id))
        ).fetchone()  # fmt: skip
    assert row == (thing_id, [thing_id])


async def test_a_transaction_is_whole_or_not_at_all(database: Database) -> None:
    kept, lost = new_id(), new_id()
    async with database.transaction() as connection:
        await add(connection, kept)

    async def fail() -> None:
        async with database.transaction() as connection:
            await add(connection, lost)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert (await number_of(database, kept), await number_of(database, lost)) == (1, None)


async def test_a_cancelled_transaction_is_undone_and_its_connection_is_good(
    database: Database,
) -> None:
    thing_id = new_id()
    begun = asyncio.Event()

    async def slow() -> None:
        async with database.transaction() as connection:
            await add(connection, thing_id)
            begun.set()
            await connection.execute("select pg_sleep(60)")

    task = asyncio.create_task(slow())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(4):
        assert await number_of(database, thing_id) is None


async def test_statements_are_transactions_of_their_own(database: Database) -> None:
    first, second = new_id(), new_id()

    async def fail() -> None:
        async with database.statements() as connection:
            await add(connection, first)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await number_of(database, first) == 1

    async def fail_again() -> None:
        async with database.transaction() as connection:
            await add(connection, second)
            raise LookupError

    for _ in range(4):
        with pytest.raises(LookupError):
            await fail_again()
    assert await number_of(database, second) is None, "the connection went back as it was"


async def test_a_wrong_statement_is_a_fault_not_an_outage(database: Database) -> None:
    async def wrong() -> None:
        async with database.transaction() as connection:
            await connection.execute("select nothing")

    with pytest.raises(errors.UndefinedColumn):
        await wrong()


async def test_a_busy_pool_is_unavailable_soon(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "POOL_WAIT_S", 0.1)
    async with Database.open(url, pool_max=1) as database, database.transaction():
        with pytest.raises(DependencyUnavailable) as refused:
            await database.check()
    assert refused.value.metadata == {"dependency": "postgres"}
    assert refused.value.retry_after_s is not None


async def test_a_deadlock_is_the_callers_to_retry(database: Database) -> None:
    first, second = new_id(), new_id()
    async with database.transaction() as connection:
        await add(connection, first)
        await add(connection, second)
    update = "update things set number = number + 1 where id = %s"
    both = asyncio.Barrier(2)

    async def raise_both(*ids: str) -> None:
        async with database.transaction() as connection:
            await connection.execute(update, (ids[0],))
            await both.wait()
            await connection.execute(update, (ids[1],))

    outcomes = await asyncio.gather(
        raise_both(first, second), raise_both(second, first), return_exceptions=True
    )
    assert sorted(map(repr, map(type, outcomes))) == sorted(
        map(repr, [type(None), errors.DeadlockDetected])
    )


async def test_a_connection_that_is_cut_is_an_outage_and_is_replaced(database: Database) -> None:
    async def cut() -> None:
        async with database.transaction() as connection:
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(DependencyUnavailable):
        await cut()
    await database.check()


async def test_reads_go_to_the_replica_and_transactions_to_the_primary(
    url: str, postgres_server: Postgres
) -> None:
    replica = postgres_server.create_database("replica")
    names = []
    async with Database.open(url, replica_url=replica) as database:
        for connecting in (database.read, database.transaction, database.statements):
            async with connecting() as connection:
                row = await (await connection.execute("select current_database()")).fetchone()
                assert row is not None
                names.append(str(row[0]).split("_", maxsplit=1)[0])
    assert names == ["replica", "servicekit", "servicekit"]


async def test_a_database_that_is_away_does_not_stop_the_start(
    port_reservations: PortReservations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "POOL_WAIT_S", 0.1)
    nowhere = f"postgresql://things:x@127.0.0.1:{port_reservations.take()}/things"
    async with Database.open(nowhere) as database:
        with pytest.raises(DependencyUnavailable):
            await database.check()


async def test_an_unanswered_commit_is_an_outage(url: str, database: Database) -> None:
    thing_id = new_id()

    async def add_one(behind: Database) -> None:
        async with behind.transaction() as connection:
            await add(connection, thing_id)

    async with PostgresProxy(url).listening() as proxy, Database.open(proxy.url) as behind:
        proxy.lose_commit()
        with pytest.raises(DependencyUnavailable):
            await add_one(behind)
        await behind.check()
    assert await number_of(database, thing_id) == 1


async def test_the_name_of_the_application_is_told(database: Database) -> None:
    async with database.transaction() as connection:
        row = await (await connection.execute("show application_name")).fetchone()
    assert row == ("things",)
