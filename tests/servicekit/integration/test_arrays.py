"""Array literals against the parser that reads them: Postgres itself."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.ids import new_id
from servicekit import arrays
from servicekit.postgres import Connection, Database
from stack.parts.postgres import Postgres


@pytest.fixture(scope="module")
def url(postgres_server: Postgres) -> str:
    return postgres_server.create_database("arrays")


@pytest.fixture
async def connection(url: str) -> AsyncIterator[Connection]:
    async with Database.open(url, pool_max=1) as database, database.statements() as opened:
        yield opened


async def read_back(connection: Connection, literal: str, element: str) -> list[object]:
    query = f"select %s::{element}[]".encode()
    row = await (await connection.execute(query, [literal])).fetchone()
    assert row is not None
    found: list[object] = row[0]
    return found


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
AWKWARD = ["", "null", "NULL", " ", "a,b", "{}", '"', "\\", "\\x41", "ä", "a b", "\n", "a", "b.c"]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.one_of(TEXTS, st.sampled_from(AWKWARD)), max_size=6))
def test_any_texts_are_read_back(url: str, values: list[str]) -> None:
    import psycopg

    with psycopg.connect(url) as plain:
        row = plain.execute("select %s::text[]", [arrays.texts(values)]).fetchone()
    assert row == (values,)


@pytest.mark.parametrize("text", AWKWARD)
async def test_awkward_texts_alone_are_read_back(connection: Connection, text: str) -> None:
    assert await read_back(connection, arrays.texts([text]), "text") == [text]


async def test_other_kinds_are_read_back(connection: Connection) -> None:
    ids = [new_id(), None, new_id()]
    assert await read_back(connection, arrays.ids(ids), "uuid") == ids
    integers = [0, -1, None, (1 << 63) - 1]
    assert await read_back(connection, arrays.integers(integers), "bigint") == integers
    booleans = [True, False, True]
    assert await read_back(connection, arrays.booleans(booleans), "boolean") == booleans
    now = datetime(2026, 11, 1, 12, 0, 0, 1, UTC)
    times = [now, None, now.astimezone(timezone(timedelta(hours=-5)))]
    assert await read_back(connection, arrays.times(times), "timestamptz") == times
    octets = [b"", b"\x00\xff", bytes(range(256))]
    assert await read_back(connection, arrays.octets(octets), "bytea") == octets


@pytest.mark.parametrize("element", ["uuid", "bigint", "boolean", "timestamptz", "bytea", "text"])
async def test_nothing_is_an_empty_array(connection: Connection, element: str) -> None:
    for kind in (
        arrays.ids,
        arrays.integers,
        arrays.booleans,
        arrays.times,
        arrays.octets,
        arrays.texts,
    ):
        assert await read_back(connection, kind([]), element) == []
