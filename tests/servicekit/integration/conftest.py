"""A scripted service of the mesh, served with all the checks of its contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blytz.auction.v1 import auction_service_pb2
from fakes.mesh import channel_to, identity_in, serving
from fakes.scripted_service import ScriptedService
from fakes.served import Served
from fakes.token_mint import TokenMint
from stack.certificates import ensure_certificates
from stack.ports import PortReservations

AUCTION = auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]


@pytest.fixture(scope="session")
def tls_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for each workload of the mesh."""
    folder = tmp_path_factory.mktemp("tls")
    ensure_certificates(folder)
    return folder


@pytest.fixture(scope="session")
def mint() -> TokenMint:
    return TokenMint()


@pytest.fixture
def address(port_reservations: PortReservations) -> str:
    return f"127.0.0.1:{port_reservations.take()}"


@pytest.fixture
async def served(tls_folder: Path, mint: TokenMint, address: str) -> AsyncIterator[Served]:
    script = ScriptedService(AUCTION)
    identity = identity_in(tls_folder, "auction")
    async with (
        serving([(AUCTION, script)], address=address, identity=identity, mint=mint),
        channel_to(address, "auction", identity_in(tls_folder, "edge")) as channel,
    ):
        yield Served(script, address, channel, mint)
