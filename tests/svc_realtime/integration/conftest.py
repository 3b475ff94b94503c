"""Settings and certificates for a svc_realtime that a test serves itself."""

from pathlib import Path

import pytest

from stack.certificates import ensure_certificates
from stack.ports import PortReservations
from svc_realtime.settings import RealtimeSettings


@pytest.fixture(scope="module")
def tls_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    ensure_certificates(folder)
    return folder


@pytest.fixture
def realtime_settings(
    tls_folder: Path, port_reservations: PortReservations, kafka_bootstrap: str
) -> RealtimeSettings:
    return RealtimeSettings(
        grpc_address=f"127.0.0.1:{port_reservations.take()}",
        admin_address=f"127.0.0.1:{port_reservations.take()}",
        auction_address=f"127.0.0.1:{port_reservations.take()}",
        tls_dir=tls_folder / "realtime",
        kafka_bootstrap=kafka_bootstrap,
    )
