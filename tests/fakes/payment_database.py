"""The payment service's real database for tests: its ledger, and whatever SQL a test wants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fakes.payment_commands import Wallet
from fakes.payment_processor import FakeProcessor
from servicekit.postgres import Database
from svc_payment.application.ports import PaymentProcessor
from svc_payment.infrastructure.postgres_ledger import PostgresLedger
from svc_payment.infrastructure.proto_mapping import encode_answer


class PaymentDatabase:
    """A ledger on Postgres; ``wake_count`` counts the commits that left events in the outbox."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.wake_count = 0
        self.ledger = PostgresLedger(
            database=database, encode=encode_answer, published=self._count_wake
        )

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator["PaymentDatabase"]:
        async with Database.open(url) as database:
            yield cls(database)

    def wallet(self, processor: PaymentProcessor | None = None) -> Wallet:
        """Return the wallet of a new user."""
        return Wallet(ledger=self.ledger, processor=processor or FakeProcessor())

    async def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        async with self.database.transaction() as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def execute(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        """Run statements with their parameters in one transaction."""
        async with self.database.transaction() as connection:
            for statement, parameters in statements:
                await connection.execute(statement, parameters)

    def _count_wake(self) -> None:
        self.wake_count += 1
