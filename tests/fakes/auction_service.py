"""svc_auction behind its real gRPC server, and who calls it: workloads, people at the gateway."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1 import auction_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from blytz.auction.v1.show_service_pb2_grpc import ShowServiceStub
from blytz.common.v1.money_pb2 import Money
from fakes.auction_shards import NOWHERE, utc_now
from fakes.mesh import bearer, channel_to, channels_of, identity_in, mint_token, serving
from fakes.token_mint import AUDIENCE, ISSUER, TokenMint
from fakes.wallet_grpc_service import FakeWallet
from kernel.ids import new_id
from servicekit.background import running
from servicekit.main import Kit
from svc_auction.settings import AuctionSettings
from svc_auction.wiring import wire

if TYPE_CHECKING:
    import asyncio

    from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceAsyncStub
    from blytz.auction.v1.show_service_pb2_grpc import ShowServiceAsyncStub

Metadata = list[tuple[str, str]]


def usd(amount_minor: int) -> Money:
    return Money(currency_code="USD", amount_minor=amount_minor)


def in_minutes(minutes: float) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(utc_now() + timedelta(minutes=minutes))
    return timestamp


def create_request(**changes: Any) -> messages.CreateAuctionRequest:
    """Return a valid request; ``changes`` are merged into it."""
    request = messages.CreateAuctionRequest(
        request_id=new_id(),
        title="Cartier Tank",
        terms=auction_pb2.AuctionTerms(
            format=auction_pb2.AUCTION_FORMAT_ENGLISH,
            opening_price=usd(1),
            funding_policy=auction_pb2.FUNDING_POLICY_WALLET_HOLD,
        ),
    )
    request.MergeFrom(messages.CreateAuctionRequest(**changes))
    return request


def bid_request(auction_id: str, maximum_minor: int, **changes: Any) -> messages.PlaceBidRequest:
    request = messages.PlaceBidRequest(
        request_id=new_id(), auction_id=auction_id, maximum=usd(maximum_minor)
    )
    request.MergeFrom(messages.PlaceBidRequest(**changes))
    return request


@dataclass
class AuctionClients:
    """Who talks to the service: people through the gateway, and other workloads."""

    mint: TokenMint
    wallet: FakeWallet
    stubs: dict[str, "AuctionServiceAsyncStub"]
    shows: "ShowServiceAsyncStub"
    seller_id: str = field(default_factory=new_id)

    @property
    def edge(self) -> "AuctionServiceAsyncStub":
        return self.stubs["edge"]

    @property
    def seller(self) -> Metadata:
        return bearer(mint_token(self.mint, self.seller_id, "SELLER"))

    def person(self, *roles: str, minor: int = 1_000_000, user_id: str = "") -> Metadata:
        """Return the metadata of a person with money in the wallet."""
        user_id = user_id or new_id()
        self.wallet.available[user_id, "USD"] += minor
        return bearer(mint_token(self.mint, user_id, *roles))

    async def draft(self, **changes: Any) -> auction_pb2.Auction:
        created = await self.edge.CreateAuction(create_request(**changes), metadata=self.seller)
        return created.auction

    async def live(self, **changes: Any) -> str:
        """Create and start an auction of an hour; return its id."""
        auction_id = (await self.draft(**changes)).auction_id
        await self.edge.StartAuction(
            messages.StartAuctionRequest(auction_id=auction_id, ends_at=in_minutes(60)),
            metadata=self.seller,
        )
        return auction_id

    async def get(self, auction_id: str, metadata: Metadata | None = None) -> Any:
        return await self.edge.GetAuction(
            messages.GetAuctionRequest(auction_id=auction_id), metadata=metadata or []
        )


@asynccontextmanager
async def auction_service(
    *,
    postgres_url: str,
    wallet: tuple[FakeWallet, str],
    tls_folder: Path,
    address: str,
    mint: TokenMint,
    stopping: "asyncio.Event",
    loops: Collection[str] = (),
    **changes: Any,
) -> AsyncIterator[AuctionClients]:
    """Serve the wired service with only the named background loops; yield its clients.

    ``changes`` are settings.
    """
    identity = identity_in(tls_folder, "auction")
    settings = AuctionSettings(
        environment="development",
        grpc_address=address,
        admin_address=NOWHERE,
        tls_dir=tls_folder / "auction",
        postgres_url=postgres_url,
        kafka_bootstrap=NOWHERE,
        token_issuer=ISSUER,
        token_audience=AUDIENCE,
        **changes,
    )
    async with AsyncExitStack() as stack:
        channels = await stack.enter_async_context(channels_of(identity, {"payment": wallet[1]}))
        kit = Kit(channels=channels, stopping=stopping)
        wiring = await stack.enter_async_context(wire(settings, kit))
        await stack.enter_async_context(
            serving(wiring.rpc, address=address, identity=identity, mint=mint)
        )
        wanted = [loop for loop in wiring.background if loop.__qualname__ in loops]
        assert len(wanted) == len(loops)
        await stack.enter_async_context(running(wanted))
        callers = {
            workload: await stack.enter_async_context(
                channel_to(address, "auction", identity_in(tls_folder, workload))
            )
            for workload in ("edge", "realtime", "payment", "operator")
        }
        stubs = {workload: AuctionServiceStub(channel) for workload, channel in callers.items()}
        yield AuctionClients(mint, wallet[0], stubs, ShowServiceStub(callers["edge"]))
