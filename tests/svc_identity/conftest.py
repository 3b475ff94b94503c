"""A database with svc_identity's tables, and the ports on it or on fakes."""

from collections.abc import AsyncIterator

import pytest

from fakes.identity_ports import FakePorts, Ports, PostgresPorts
from servicekit.migrations import upgrade
from servicekit.postgres import Database
from stack.parts.postgres import Postgres
from svc_identity.domain.guessing import Allowances
from svc_identity.infrastructure.postgres_attempts import PostgresSignInAttempts
from svc_identity.infrastructure.postgres_people import PostgresPeople


@pytest.fixture(scope="session")
def identity_url(postgres_server: Postgres) -> str:
    """A migrated database; tests share it and bring their own people."""
    url = postgres_server.create_database("identity")
    upgrade(url, "svc_identity.infrastructure.migrations")
    return url


@pytest.fixture
async def postgres_ports(identity_url: str) -> AsyncIterator[PostgresPorts]:
    async with Database.open(identity_url, pool_max=8) as database:
        yield PostgresPorts(
            people=PostgresPeople(database=database, wake_relay=lambda: None),
            attempts=PostgresSignInAttempts(database=database, allowances=Allowances()),
            database=database,
        )


@pytest.fixture(params=["fake", "postgres"])
def ports(request: pytest.FixtureRequest, postgres_ports: PostgresPorts) -> Ports:
    """Both kinds of the ports, one after the other."""
    return FakePorts() if request.param == "fake" else postgres_ports
