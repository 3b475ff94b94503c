"""A migrated payment database of its own for each module, and a stand-in of Stripe for all."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from fakes.payment_database import PaymentDatabase

from servicekit import migrations
from stack.part import running
from stack.parts.postgres import Postgres
from stack.parts.stripe import StripeStandin
from stack.ports import PortReservations
from stack.secret import Secret
from svc_payment.infrastructure.verification import verify_ledger


@pytest.fixture(scope="module")
def payment_url(postgres_server: Postgres) -> str:
    url = postgres_server.create_database("payment")
    migrations.upgrade(url, "svc_payment.infrastructure.migrations")
    return url


@pytest.fixture
async def opened(payment_url: str) -> AsyncIterator[PaymentDatabase]:
    """The open database; after each test its books must balance."""
    async with PaymentDatabase.open(payment_url) as database:
        yield database
        verification = await verify_ledger(database.database)
        assert verification.is_sound, verification


@pytest.fixture(scope="module")
def stripe_standin(
    tmp_path_factory: pytest.TempPathFactory, port_reservations: PortReservations
) -> Iterator[StripeStandin]:
    """A Stripe that sends no webhooks: the tests send them themselves."""
    folder = tmp_path_factory.mktemp("stripe")
    part = StripeStandin(
        folder=folder,
        port=port_reservations.take(),
        webhook_url="",
        secret=Secret.load(folder / "secret"),
    )
    with asyncio.Runner() as runner:
        block = running(part, log_folder=folder)
        runner.run(block.__aenter__())
        yield part
        runner.run(block.__aexit__(None, None, None))
