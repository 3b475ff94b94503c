"""The ledger in Postgres: transactions that start anew after a deadlock, commands that run once."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from psycopg.errors import DeadlockDetected, SerializationFailure

from kernel.money import Money
from servicekit import queries
from servicekit.errors import DependencyUnavailable
from servicekit.postgres import Database
from svc_payment.application.ports import Answer, Balances, CommandKey, Reply, Result
from svc_payment.domain.errors import Refusal
from svc_payment.infrastructure.postgres_transaction import PostgresTransaction

RUN_COUNT_MAX = 5
"""How often work is run before a deadlock is given up on."""

QUERIES = queries.load("svc_payment.infrastructure", "queries.sql")

Work = Callable[[PostgresTransaction], Awaitable[Result]]


class PostgresLedger:
    """The ``Ledger`` of ``application/ports.py``.

    ``encode`` makes replies of answers; ``published`` is called after a commit that left events in
    the outbox.
    """

    def __init__(
        self,
        *,
        database: Database,
        encode: Callable[[Answer], Reply],
        published: Callable[[], None],
    ) -> None:
        self._database = database
        self._encode = encode
        self._published = published

    async def run(self, work: Work[Result]) -> Result:
        """Run work in one transaction; commit if it returns, roll back if it raises."""
        fault: Exception | None = None
        for run in range(1, RUN_COUNT_MAX + 1):
            try:
                return await self._run_once(work)
            except (DeadlockDetected, SerializationFailure) as error:
                # The victim did nothing: another turn is safe.
                fault = error
            await asyncio.sleep(random.uniform(0, 0.005 * 2**run))  # noqa: S311 - jitter
        raise DependencyUnavailable(dependency="postgres", retry_after_s=0.5) from fault

    async def once(self, key: CommandKey, work: Work[Answer]) -> Reply:
        """Run a command's work at most once, and give every replay the first answer."""
        try:
            reply = await self.run(partial(_take_or_replay, key, work))
        except Refusal as refusal:
            # The work is undone. A duplicate may have run since: then its answer was the first.
            reply = await self.run(partial(_remember, key, refusal))
        if isinstance(reply, Refusal):
            raise reply
        return reply

    def encode(self, answer: Answer) -> Reply:
        """Return an answer as the caller gets it."""
        return self._encode(answer)

    async def balances(self, user_id: str) -> Sequence[Balances]:
        """Return a person's balances, ordered by currency code.

        They are read from the primary: who has just paid must see it.
        """
        async with self._database.transaction() as connection:
            cursor = await connection.execute(QUERIES["read_balances"], {"user_id": user_id})
            return [
                Balances(
                    available=Money(currency_code, available_minor),
                    bidding_power=Money(currency_code, bidding_power_minor),
                    pending_earnings=Money(currency_code, pending_earnings_minor),
                )
                for (
                    currency_code,
                    available_minor,
                    bidding_power_minor,
                    pending_earnings_minor,
                ) in await cursor.fetchall()
            ]

    async def undecided_deposits(self, *, idle_s: float, count_max: int) -> Sequence[str]:
        """Return ids of undecided deposits that nobody asked about for ``idle_s``."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                QUERIES["read_undecided_deposits"], {"idle_s": idle_s, "count_max": count_max}
            )
            return [deposit_id for (deposit_id,) in await cursor.fetchall()]

    async def _run_once(self, work: Work[Result]) -> Result:
        async with self._database.transaction() as connection:
            transaction = PostgresTransaction(
                connection=connection, queries=QUERIES, encode=self._encode
            )
            result = await work(transaction)
        if transaction.has_published:
            self._published()
        return result


async def _take_or_replay(
    key: CommandKey, work: Work[Answer], transaction: PostgresTransaction
) -> Reply | Refusal:
    if await transaction.take_place(key):
        return await transaction.complete(key, await work(transaction))
    first = await transaction.first_reply(key)
    if first is None:
        raise LookupError(f"the answer of {key.method} {key.request_id} is gone")
    return first


async def _remember(
    key: CommandKey, refusal: Refusal, transaction: PostgresTransaction
) -> Reply | Refusal:
    return await transaction.remember(key, refusal)
