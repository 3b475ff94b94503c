"""Postgres: a bounded pool to the primary and, where there is one, to a replica for reads.

Ids come back as canonical strings. A database that is away is ``DependencyUnavailable``.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader
from psycopg_pool import AsyncConnectionPool

from servicekit.errors import DependencyUnavailable
from servicekit.telemetry import start_child_span

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

POOL_WAIT_S = 1.0
"""How long a call waits for a connection: below the shortest deadline of a contract."""

_NETWORK = {
    "connect_timeout": 5,
    # A connection whose other end has vanished without a word must not hold its callers for good.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Database:
    """One Postgres database; use ``Database.open``."""

    def __init__(
        self,
        primary: AsyncConnectionPool[Connection],
        replica: AsyncConnectionPool[Connection],
    ) -> None:
        self._primary = primary
        self._replica = replica

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, replica_url: str = "", pool_max: int = 10, application_name: str = "blytz"
    ) -> AsyncIterator["Database"]:
        """Open the pools; they connect in the background and reconnect by themselves."""

        def pool_of(target: str) -> AsyncConnectionPool[Connection]:
            return AsyncConnectionPool(
                target,
                min_size=1,
                max_size=pool_max,
                timeout=POOL_WAIT_S,
                open=False,
                reconnect_timeout=5.0,
                kwargs={"application_name": application_name, **_NETWORK},
                configure=_configure,
            )

        primary = pool_of(url)
        async with primary:
            if not replica_url:
                yield cls(primary, primary)
                return
            async with pool_of(replica_url) as replica:
                yield cls(primary, replica)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Yield a connection within a transaction: committed at the end, undone on an error."""
        with start_child_span("postgres transaction"):
            async with _connection_of(self._primary) as connection:
                yield connection

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Connection]:
        """Yield a connection on which each statement is a transaction of its own."""
        async with _connection_of(self._primary) as connection:
            await connection.set_autocommit(True)
            try:
                yield connection
            finally:
                if connection.pgconn.transaction_status == TransactionStatus.IDLE:
                    await connection.set_autocommit(False)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """Yield a connection for reads that may lag behind the primary."""
        async with _connection_of(self._replica) as connection:
            yield connection

    async def check(self) -> None:
        """Raise ``DependencyUnavailable`` unless the primary answers."""
        async with self.transaction() as connection:
            await connection.execute("select 1")


@asynccontextmanager
async def _connection_of(pool: AsyncConnectionPool[Connection]) -> AsyncIterator[Connection]:
    try:
        async with pool.connection() as connection:
            yield connection
    except (errors.DeadlockDetected, errors.SerializationFailure):
        # The database is well: the caller met another transaction and may start over.
        raise
    except psycopg.OperationalError as error:
        # The idle connections have most likely gone the same way: the next call must not find
        # them one by one.
        await pool.check()
        raise DependencyUnavailable(dependency="postgres", retry_after_s=0.5) from error


async def _configure(connection: Connection) -> None:
    connection.adapters.register_loader("uuid", TextLoader)
