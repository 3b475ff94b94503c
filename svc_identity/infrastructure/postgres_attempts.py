"""Counted attempts to sign in, in Postgres, so that all replicas count together."""

from collections.abc import Sequence
from datetime import datetime

from servicekit import queries
from servicekit.postgres import Connection, Database
from svc_identity.domain.guessing import Allowances, Draw, drawn, draws_of, given_back

QUERIES = queries.load("svc_identity.infrastructure", "queries.sql")


class PostgresSignInAttempts:
    """The port ``SignInAttempts``."""

    def __init__(self, *, database: Database, allowances: Allowances) -> None:
        self._database = database
        self._allowances = allowances

    async def draw(self, *, email: str, address: str) -> None:
        """Count an attempt; refused ones do not count."""
        draws = draws_of(email=email, address=address, allowances=self._allowances)
        async with self._database.transaction() as connection:
            empty_at, now = await _lock(connection, draws)
            await _save(connection, draws, drawn(draws, empty_at, now))

    async def give_back(self, *, email: str, address: str) -> None:
        """Take an attempt back."""
        draws = draws_of(email=email, address=address, allowances=self._allowances)
        async with self._database.transaction() as connection:
            empty_at, _ = await _lock(connection, draws)
            await _save(connection, draws, given_back(draws, empty_at))


async def _lock(connection: Connection, draws: Sequence[Draw]) -> tuple[list[datetime], datetime]:
    """Return when each allowance will be empty, and the time now."""
    await connection.execute(QUERIES["commit_attempts_lazily"])
    cursor = await connection.execute(
        QUERIES["lock_attempts"], {"keys": [draw.key for draw in draws]}
    )
    rows = await cursor.fetchall()
    empty_at = {bytes(key): empty for key, empty, _ in rows}
    return [empty_at[draw.key] for draw in draws], max(now for _, _, now in rows)


async def _save(
    connection: Connection, draws: Sequence[Draw], empty_at: Sequence[datetime]
) -> None:
    await connection.execute(
        QUERIES["save_attempts"],
        {"keys": [draw.key for draw in draws], "empty_at": list(empty_at)},
    )
