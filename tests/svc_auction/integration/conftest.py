"""Shards on the embedded Postgres; tests share a database and bring their own people."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blytz.payment.v1.wallet_service_pb2_grpc import WalletServiceStub
from fakes.auction_service import AuctionClients, auction_service
from fakes.auction_shards import auction_database, auctions_on, only, shards_on
from fakes.bank import Bank
from fakes.mesh import channels_of, serving
from fakes.token_mint import TokenMint
from fakes.wallet_grpc_service import DESCRIPTOR as WALLET
from fakes.wallet_grpc_service import FakeWallet
from kernel.ids import new_id
from servicekit.tls import MeshIdentity
from stack.certificates import ensure_certificates
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import Shard, Shards
from svc_auction.infrastructure.wallet_power import WalletPower


@pytest.fixture(scope="session")
def auction_url(postgres_server: Postgres) -> str:
    return auction_database(postgres_server)


@pytest.fixture
async def shards(auction_url: str) -> AsyncIterator[Shards]:
    async with shards_on(auction_url) as opened:
        yield opened


@pytest.fixture
def shard(shards: Shards) -> Shard:
    return only(shards)


@pytest.fixture
def auctions(shards: Shards) -> PostgresAuctions:
    return auctions_on(shards)


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
async def wallet(
    tls_folder: Path, port_reservations: PortReservations, mint: TokenMint
) -> AsyncIterator[tuple[FakeWallet, str]]:
    """A wallet on the mesh, and its address."""
    fake = FakeWallet()
    address = f"127.0.0.1:{port_reservations.take()}"
    identity = MeshIdentity.load(tls_folder / "payment")
    async with serving([(WALLET, fake)], address=address, identity=identity, mint=mint):
        yield fake, address


@pytest.fixture
async def clients(
    auction_url: str,
    wallet: tuple[FakeWallet, str],
    tls_folder: Path,
    port_reservations: PortReservations,
    mint: TokenMint,
) -> AsyncIterator[AuctionClients]:
    """The whole service behind its gRPC server, and who calls it."""
    async with auction_service(
        postgres_url=auction_url,
        wallet=wallet,
        tls_folder=tls_folder,
        address=f"127.0.0.1:{port_reservations.take()}",
        mint=mint,
        stopping=asyncio.Event(),
    ) as served:
        yield served


@pytest.fixture
def bank_url(postgres_server: Postgres) -> str:
    """A database of its own: transfers are carried out whosever they are."""
    return auction_database(postgres_server)


@pytest.fixture
async def bank(
    bank_url: str, wallet: tuple[FakeWallet, str], tls_folder: Path
) -> AsyncIterator[Bank]:
    fake, address = wallet
    identity = MeshIdentity.load(tls_folder / "auction")
    async with (
        shards_on(bank_url) as shards,
        channels_of(identity, {"payment": address}) as channels,
    ):
        powers = [
            WalletPower(shards=shards, wallet=channels.stub(WalletServiceStub)) for _ in range(2)
        ]
        yield Bank(shards, fake, *powers)


@pytest.fixture
def ada(bank: Bank) -> str:
    """A bidder with 100.00 in the wallet."""
    bidder_id = new_id()
    bank.wallet.available[bidder_id, "USD"] = 100_00
    return bidder_id
