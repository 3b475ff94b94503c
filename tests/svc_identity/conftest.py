"""The ports on a database and on fakes; the whole service as a process of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from blytz.identity.v1.auth_service_pb2 import Session
from blytz.identity.v1.auth_service_pb2_grpc import AuthServiceStub
from blytz.identity.v1.user_service_pb2_grpc import UserServiceStub
from fakes.identity_calls import registered
from fakes.identity_ports import FakePorts, Ports, PostgresPorts
from fakes.identity_process import IdentityProcess, identity_environ, run_identity, running_identity
from servicekit.migrations import upgrade
from servicekit.postgres import Database
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
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


@pytest.fixture(scope="session")
def identity(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: Postgres,
    port_reservations: PortReservations,
    kafka_bootstrap: str,
) -> Iterator[IdentityProcess]:
    folder = tmp_path_factory.mktemp("identity")
    grpc_port, admin_port = port_reservations.take(), port_reservations.take()
    environ = identity_environ(
        folder,
        grpc_port=grpc_port,
        admin_port=admin_port,
        postgres_url=postgres_server.create_database("identity"),
        kafka_bootstrap=kafka_bootstrap,
    )
    migrated = run_identity(["migrate"], environ)
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    with running_identity(
        folder, grpc_port=grpc_port, admin_port=admin_port, environ=environ
    ) as process:
        yield process


@pytest.fixture(scope="session")
def auth(identity: IdentityProcess) -> AuthServiceStub:
    return AuthServiceStub(identity.channel())


@pytest.fixture(scope="session")
def users(identity: IdentityProcess) -> UserServiceStub:
    return UserServiceStub(identity.channel())


@pytest.fixture
def session(auth: AuthServiceStub) -> Session:
    return registered(auth)
