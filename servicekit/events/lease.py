"""A lease in the database: at most one of the replicas does a job, by the database's clock.

A row, not a session's lock: it works behind a pooler that gives each transaction another
connection, and it is taken over when its holder hangs.
"""

import asyncio
import time
from typing import Final

from kernel.ids import new_id
from servicekit.postgres import Database
from servicekit.queries import load

LEASE_S: Final = 4.0
RENEW_EVERY_S: Final = 1.0

_QUERIES = load("servicekit.events", "lease.sql")


class LeaseLost(Exception):
    """Another replica has the lease, or it could not be renewed in time."""


class Lease:
    """This replica's claim to the lease; ``lease_s`` is how long it outlives its holder."""

    def __init__(self, *, database: Database, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._lease_s = lease_s
        self._held_until_s = 0.0
        self.holder = new_id()
        self.is_contended = True
        """Whether another replica lives, which wants the lease as well."""

    @property
    def is_held(self) -> bool:
        """Whether it is ours for sure: by our own clock, counted from before we asked."""
        return time.monotonic() < self._held_until_s

    async def acquire(self) -> bool:
        """Take or renew the lease; tell whether it is ours now."""
        asked_at_s = time.monotonic()
        async with self._database.statements() as connection:
            cursor = await connection.execute(
                _QUERIES["hold_lease"], {"holder": self.holder, "lease_s": self._lease_s}
            )
            row = await cursor.fetchone()
            if row is None:
                self._held_until_s = 0.0
                await connection.execute(_QUERIES["contend_lease"], {"holder": self.holder})
                return False
        self.is_contended = row[0]
        self._held_until_s = asked_at_s + self._lease_s
        return True

    async def keep(self) -> None:
        """Renew it until it is lost: ``LeaseLost``."""
        while True:
            if not await self.acquire():
                raise LeaseLost
            await asyncio.sleep(min(RENEW_EVERY_S, self._lease_s / 4))

    async def release(self) -> None:
        """Let go, so that another replica can go on at once."""
        self._held_until_s = 0.0
        async with self._database.statements() as connection:
            await connection.execute(_QUERIES["release_lease"], {"holder": self.holder})
