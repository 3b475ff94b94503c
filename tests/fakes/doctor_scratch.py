"""A look at the doctor's world in which anything may be spoiled: it is undone at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg
from psycopg.types.string import TextLoader

from stack.doctor.checks import Connection, Violation, queries_of


@asynccontextmanager
async def scratch(url: str, *statements: LiteralString) -> AsyncIterator[Connection]:
    """A connection whose statements are undone at the end."""
    connection = await psycopg.AsyncConnection.connect(url)
    try:
        connection.adapters.register_loader("uuid", TextLoader)
        for statement in statements:
            await connection.execute(statement)
        yield connection
        await connection.rollback()
    finally:
        await connection.close()


async def found_by_queries(connection: Connection, file_name: str) -> list[Violation]:
    found: list[Violation] = []
    for query in queries_of(file_name).values():
        found += await query.violations(connection)
    return found
