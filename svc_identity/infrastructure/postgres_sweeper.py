"""Removes what no longer means anything: expired refresh tokens and sign-ins, empty allowances."""

import asyncio
from typing import NoReturn

import structlog

from servicekit import queries
from servicekit.postgres import Database

QUERIES = queries.load("svc_identity.infrastructure", "queries.sql")
SWEEPS = ("sweep_attempts", "sweep_refresh_tokens", "sweep_sign_ins")
BATCH_COUNT_MAX = 1000
PAUSE_S = 600.0

log = structlog.get_logger(__name__)


class PostgresSweeper:
    """Sweeps every ten minutes, in small transactions; several replicas may sweep at once."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def run(self) -> NoReturn:
        """Sweep for ever."""
        while True:
            removed_count = await self.sweep()
            if removed_count:
                log.info("swept", removed_count=removed_count)
            await asyncio.sleep(PAUSE_S)

    async def sweep(self) -> int:
        """Sweep once; return how many rows went."""
        removed_count = 0
        for sweep in SWEEPS:
            batch_count = BATCH_COUNT_MAX
            while batch_count == BATCH_COUNT_MAX:
                async with self._database.transaction() as connection:
                    cursor = await connection.execute(
                        QUERIES[sweep], {"count_max": BATCH_COUNT_MAX}
                    )
                    batch_count = cursor.rowcount
                removed_count += batch_count
        return removed_count
