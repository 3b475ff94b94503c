from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.mesh import Mesh, MeshPlanner
from stack.options import Options
from stack.parts.service import Service
from stack.ports import PortReservations
from stack.secret import Secret


@pytest.fixture
def ports() -> Iterator[PortReservations]:
    with PortReservations() as reservations:
        yield reservations


def _plan(
    tmp_path: Path, ports: PortReservations, environment: dict[str, str], workers: int = 1
) -> Mesh:
    options = Options.from_environment(
        environment, data_dir=tmp_path, edge_port=18_080, workers=workers
    )
    return MeshPlanner(options, ports=ports, secret=Secret(b"s")).plan()


def _service(mesh: Mesh, name: str) -> Service:
    part = next(part for part in mesh.parts if part.name == name)
    assert isinstance(part, Service)
    return part


def test_each_part_comes_after_those_it_needs(tmp_path: Path, ports: PortReservations) -> None:
    seen: set[str] = set()
    for part in _plan(tmp_path, ports, {}, workers=2).parts:
        assert seen >= set(part.needs)
        seen.add(part.name)
    assert seen == {
        *("postgres", "kafka", "redis", "stripe", "web", "edge", "identity", "payment"),
        *("auction", "auction-2", "realtime", "realtime-2"),
    }


def test_a_service_has_a_database_and_a_certificate_of_its_own(
    tmp_path: Path, ports: PortReservations
) -> None:
    mesh = _plan(tmp_path, ports, {})
    environment = _service(mesh, "auction").command().environment
    assert environment["BLYTZ_POSTGRES_URL"] == mesh.addresses["postgres"]["auction"]
    assert environment["BLYTZ_SHARD_URLS"] == f"0={mesh.addresses['postgres']['auction']}"
    assert environment["BLYTZ_TLS_DIR"] == str(tmp_path / "tls" / "auction")
    assert "BLYTZ_STRIPE_API_KEY" not in environment
    payment = _service(mesh, "payment").command().environment
    assert payment["BLYTZ_STRIPE_API_BASE"] == mesh.addresses["stripe"]["api_base"]
    assert payment["BLYTZ_AUCTION_ADDRESS"] == mesh.addresses["grpc"]["auction"]


def test_parts_elsewhere_are_not_started_here(tmp_path: Path, ports: PortReservations) -> None:
    environment = {
        "BLYTZ_POSTGRES_URL": "postgresql://boss:pw@db.example:5432/postgres",
        "BLYTZ_KAFKA_BOOTSTRAP": "kafka.example:9092",
        "BLYTZ_REDIS_URL": "redis://:pw@cache.example:6379/0",
        "BLYTZ_STRIPE_API_KEY": "sk_test_1",
    }
    mesh = _plan(tmp_path, ports, environment)
    started = {part.name for part in mesh.parts if part.command() is not None}
    assert started.isdisjoint({"postgres", "kafka", "redis", "stripe"})
    payment = _service(mesh, "payment").command().environment
    assert payment["BLYTZ_KAFKA_BOOTSTRAP"] == "kafka.example:9092"
    assert payment["BLYTZ_STRIPE_API_KEY"] == "sk_test_1"
    assert payment["BLYTZ_POSTGRES_URL"].startswith("postgresql://payment:")
    assert payment["BLYTZ_POSTGRES_URL"].endswith("@db.example:5432/payment")


def test_several_workers_are_one_target(tmp_path: Path, ports: PortReservations) -> None:
    mesh = _plan(tmp_path, ports, {}, workers=3)
    target = _service(mesh, "payment").command().environment["BLYTZ_AUCTION_ADDRESS"]
    grpc = mesh.addresses["grpc"]
    assert target == f"ipv4:{grpc['auction']},{grpc['auction-2']},{grpc['auction-3']}"
