"""A migrated payment database of its own for each module, and a stand-in of Stripe for all."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fakes.payment_database import PaymentDatabase
from fakes.payment_mesh import PaymentMesh, serving
from fakes.stripe_account import StripeAccount
from servicekit import migrations
from stack.certificates import ensure_certificates
from stack.part import running
from stack.parts.postgres import Postgres
from stack.parts.stripe import StripeStandin
from stack.ports import PortReservations
from stack.secret import Secret
from svc_payment.infrastructure.verification import verify_ledger
from svc_payment.settings import PaymentSettings


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


@pytest.fixture(scope="module")
def tls_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    ensure_certificates(folder)
    return folder


@pytest.fixture
async def mesh(
    payment_url: str,
    kafka_bootstrap: str,
    stripe_standin: StripeStandin,
    tls_folder: Path,
    port_reservations: PortReservations,
) -> AsyncIterator[PaymentMesh]:
    settings = PaymentSettings(
        grpc_address=f"127.0.0.1:{port_reservations.take()}",
        admin_address="",
        tls_dir=tls_folder / "payment",
        postgres_url=payment_url,
        kafka_bootstrap=kafka_bootstrap,
        stripe_api_key=stripe_standin.api_key,
        stripe_api_base=stripe_standin.api_base,
        stripe_webhook_secret=stripe_standin.webhook_secret,
    )
    async with serving(settings, tls_folder=tls_folder) as mesh:
        yield mesh


@pytest.fixture
async def account(stripe_standin: StripeStandin) -> AsyncIterator[StripeAccount]:
    """The other end; after each test nothing is planned to fail any more."""
    account = StripeAccount(stripe_standin)
    yield account
    await account.plan()
