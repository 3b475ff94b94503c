"""Servers for everyone's tests: the same parts that the stack starts, once a test run.

Each run has servers of its own on ports of its own, in a folder that goes with it; the kernel ends
them when pytest dies.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

import pytest

from fakes.running_mesh import RunningMesh
from stack.part import Part, running
from stack.parts.kafka import Kafka
from stack.parts.postgres import Postgres
from stack.parts.redis import Redis
from stack.ports import PortReservations
from stack.process import Process
from stack.secret import Secret


@contextmanager
def started(part: Part, log_folder: Path) -> Iterator[Process]:
    """Runs a part for synchronous fixtures, on a loop that only starting and stopping use."""
    with asyncio.Runner() as runner:
        block: AbstractAsyncContextManager[Process | None] = running(part, log_folder=log_folder)
        process = runner.run(block.__aenter__())
        assert process is not None
        try:
            yield process
        finally:
            runner.run(block.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def port_reservations() -> Iterator[PortReservations]:
    with PortReservations() as reservations:
        yield reservations


@pytest.fixture(scope="session")
def postgres_server(
    tmp_path_factory: pytest.TempPathFactory, port_reservations: PortReservations
) -> Iterator[Postgres]:
    """A Postgres; `create_database(prefix)` gives the URL of a new database with its own owner."""
    folder = tmp_path_factory.mktemp("postgres")
    postgres = Postgres(
        folder=folder,
        port=port_reservations.take(),
        secret=Secret.load(folder / "secret"),
        durable=False,
    )
    with started(postgres, folder):
        yield postgres


@pytest.fixture(scope="session")
def kafka_bootstrap(
    tmp_path_factory: pytest.TempPathFactory, port_reservations: PortReservations
) -> Iterator[str]:
    """A broker with the topics of the mesh."""
    kafka = Kafka(port=port_reservations.take())
    with started(kafka, tmp_path_factory.mktemp("kafka")):
        yield kafka.bootstrap


@pytest.fixture(scope="session")
def redis_url(
    tmp_path_factory: pytest.TempPathFactory, port_reservations: PortReservations
) -> Iterator[str]:
    """A Redis; tests that flush it or count its keys use a database number of their own."""
    folder = tmp_path_factory.mktemp("redis")
    redis = Redis(
        folder=folder, port=port_reservations.take(), secret=Secret.load(folder / "secret")
    )
    with started(redis, folder):
        yield redis.url


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """The whole mesh behind Envoy, as `blytz up` starts it."""
    with RunningMesh.started(tmp_path_factory.mktemp("mesh")) as running_mesh:
        yield running_mesh
