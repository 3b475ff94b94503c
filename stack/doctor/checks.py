"""The form of a check, and the checks that are queries."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, LiteralString, cast

import psycopg

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

_QUERY = re.compile(r"^-- name: (\w+)\n((?:-- .*\n)+)((?:(?!^-- name:).*\n?)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """An invariant that does not hold: which one, of what, and how one sees it."""

    invariant: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Query:
    """A named query of this package; `description` says what holds when it finds nothing."""

    name: str
    description: str
    statement: LiteralString

    async def violations(self, connection: Connection, *, where: str = "") -> list[Violation]:
        """Run it as an invariant; `where` says which database, if there are several."""
        cursor = await connection.execute(self.statement)
        return [
            Violation(self.name, f"{where}{found}", str(what))
            for found, what in await cursor.fetchall()
        ]

    async def rows(self, connection: Connection, *parameters: object) -> Sequence[tuple[Any, ...]]:
        """Run it for what it returns."""
        cursor = await connection.execute(self.statement, parameters)
        return await cursor.fetchall()


def queries_of(file_name: str) -> dict[str, Query]:
    """Return the queries of one of the package's files by name, in their order."""
    text = files("stack.doctor").joinpath(file_name).read_text(encoding="utf-8")
    return {
        name: Query(
            name=name,
            description=" ".join(line.removeprefix("-- ") for line in comment.splitlines()),
            # The text is a file of this program's own: as trustworthy as a literal.
            statement=cast("LiteralString", statement.strip().removesuffix(";")),
        )
        for name, comment, statement in _QUERY.findall(text)
    }
