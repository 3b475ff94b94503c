"""svc_realtime with its own wiring on a real gRPC server, and an auction service of worlds.

The auction service answers from `AuctionWorld`s over real mTLS gRPC; what is published goes through
the real broker.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from confluent_kafka import Producer

from blytz.auction.v1.auction_service_pb2 import (
    GetAuctionRequest,
    GetAuctionResponse,
    ListBidsRequest,
    ListBidsResponse,
)
from blytz.common.v1.position_pb2 import Position
from blytz.events.v1.event_pb2 import Event
from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionRequest, WatchAuctionResponse
from blytz.realtime.v1.realtime_service_pb2_grpc import RealtimeServiceStub
from fakes.auction_world import AuctionWorld
from fakes.token_mint import AUDIENCE, ISSUER, TokenMint
from servicekit.admin import Check
from servicekit.background import running
from servicekit.channels import Channels
from servicekit.main import Kit
from servicekit.rpc import RpcAdapter
from servicekit.server import GrpcServer
from servicekit.tls import MeshIdentity, caller_from_tls
from servicekit.tokens import TokenVerifier
from svc_realtime.application.hub import Hub
from svc_realtime.domain.errors import FeedUnavailable
from svc_realtime.infrastructure.event_log import TOPIC
from svc_realtime.settings import RealtimeSettings
from svc_realtime.wiring import wire


class WorldAuctions:
    """AuctionService as svc_realtime sees it; it counts, and it can be away."""

    def __init__(self, worlds: dict[str, AuctionWorld]) -> None:
        self._worlds = worlds
        self.calls = 0
        self.away = False

    async def get_auction(self, request: GetAuctionRequest, context: Any) -> GetAuctionResponse:
        world = await self._world(request.auction_id, context)
        return GetAuctionResponse(auction=world.pictures[-1].auction)

    async def list_bids(self, request: ListBidsRequest, context: Any) -> ListBidsResponse:
        world = await self._world(request.auction_id, context)
        picture = world.pictures[-1]
        return ListBidsResponse(bids=picture.recent_bids, position=picture.auction.position)

    async def _world(self, auction_id: str, context: Any) -> AuctionWorld:
        self.calls += 1
        world = self._worlds.get(auction_id)
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        if world is None or world.last < 2:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such auction")
        assert world is not None
        return world

    def handler(self) -> grpc.GenericRpcHandler:
        methods: dict[str, tuple[Any, type[GetAuctionRequest | ListBidsRequest]]] = {
            "GetAuction": (self.get_auction, GetAuctionRequest),
            "ListBids": (self.list_bids, ListBidsRequest),
        }
        return grpc.method_handlers_generic_handler(
            "blytz.auction.v1.AuctionService",
            {
                name: grpc.unary_unary_rpc_method_handler(
                    behaviour,
                    request_deserializer=request.FromString,
                    response_serializer=lambda message: message.SerializeToString(),
                )
                for name, (behaviour, request) in methods.items()
            },
        )


class RealtimeMesh:
    """What a test does with a running svc_realtime."""

    def __init__(
        self,
        *,
        hub: Hub,
        settings: RealtimeSettings,
        edge_identity: MeshIdentity,
        edge: Channels,
        other: Channels,
        auctions: WorldAuctions,
    ) -> None:
        self.hub = hub
        self._address = settings.grpc_address
        self._edge_identity = edge_identity
        self.auctions = auctions
        self.stopping = asyncio.Event()
        self.mint = TokenMint()
        self._edge = edge
        self._other = other
        self._producer = Producer(
            {"bootstrap.servers": settings.kafka_bootstrap, "linger.ms": 0, "log_level": 0}
        )

    def watch(
        self,
        auction_id: str,
        *,
        resume_from: Position | None = None,
        caller: str = "edge",
        token: str = "",
    ) -> Any:
        """Open a stream as the gateway, or as another workload."""
        channels = self._edge if caller == "edge" else self._other
        metadata = grpc.aio.Metadata(("authorization", f"Bearer {token}")) if token else None
        return channels.stub(RealtimeServiceStub).WatchAuction(
            WatchAuctionRequest(auction_id=auction_id, resume_from=resume_from),
            metadata=metadata,
        )

    @asynccontextmanager
    async def narrow_watch(self, auction_id: str) -> AsyncIterator[Any]:
        """Open a stream on a connection of its own, whose windows do not grow."""
        async with grpc.aio.secure_channel(
            self._address,
            self._edge_identity.channel_credentials(),
            options=[
                ("grpc.ssl_target_name_override", "realtime.blytz.internal"),
                ("grpc.http2.bdp_probe", 0),
                ("grpc.http2.lookahead_bytes", 65_535),
            ],
        ) as channel:
            yield RealtimeServiceStub(channel).WatchAuction(
                WatchAuctionRequest(auction_id=auction_id)
            )

    def token(self, *, lives_s: int) -> str:
        """Return a person's access token."""
        now_s = int(time.time())
        return self.mint.token(iat=now_s, nbf=now_s, exp=now_s + lives_s)

    async def publish(self, events: Iterable[Event]) -> None:
        """Append events to the topic, as the relay would."""
        for event in events:
            self._producer.produce(TOPIC, key=event.aggregate_id, value=event.SerializeToString())
        assert await asyncio.to_thread(self._producer.flush, 10) == 0


async def at_end(stream: Any) -> bool:
    """Return whether the stream ends here, with OK."""
    async with asyncio.timeout(10):
        return await stream.read() is grpc.aio.EOF and await stream.code() is grpc.StatusCode.OK


async def read(stream: Any, *, within_s: float = 10.0) -> WatchAuctionResponse:
    """Return the next frame of a stream."""
    async with asyncio.timeout(within_s):
        frame: WatchAuctionResponse = await stream.read()
    return frame


@asynccontextmanager
async def serving(
    settings: RealtimeSettings, *, tls_folder: Path, worlds: Iterable[AuctionWorld]
) -> AsyncIterator[RealtimeMesh]:
    """Serve with the service's own wiring and its background loops."""
    async with AsyncExitStack() as stack:
        auctions = WorldAuctions({world.auction_id: world for world in worlds})
        auction_server = grpc.aio.server()
        auction_server.add_generic_rpc_handlers([auctions.handler()])
        auction_server.add_secure_port(
            settings.auction_address,
            MeshIdentity.load(tls_folder / "auction").server_credentials(),
        )
        await auction_server.start()
        stack.push_async_callback(auction_server.stop, None)
        addresses = {
            "realtime": settings.grpc_address,
            "auction": settings.auction_address,
        }
        edge, payment, realtime = (
            Channels(identity=MeshIdentity.load(tls_folder / name), addresses=addresses)
            for name in ("edge", "payment", "realtime")
        )
        for channels in (edge, payment, realtime):
            stack.push_async_callback(channels.close)
        stopping = asyncio.Event()
        kit = Kit(channels=realtime, stopping=stopping)
        wiring = await stack.enter_async_context(wire(settings, kit))
        mesh = RealtimeMesh(
            hub=wiring.rpc[0][1]._hub,  # type: ignore[attr-defined]
            edge=edge,
            other=payment,
            auctions=auctions,
            settings=settings,
            edge_identity=MeshIdentity.load(tls_folder / "edge"),
        )
        mesh.stopping = stopping
        server = GrpcServer(
            adapter=RpcAdapter(
                caller_of=caller_from_tls(settings.trust_domain),
                verifier=TokenVerifier(
                    issuer=ISSUER, audience=AUDIENCE, fetch_keys=mesh.mint.fetch_keys
                ),
            ),
            rpc=wiring.rpc,
            credentials=MeshIdentity.load(settings.tls_dir).server_credentials(),
            address=settings.grpc_address,
            concurrent_calls_max=10_000,
            reflect=False,
        )
        await stack.enter_async_context(running(wiring.background))
        await server.start()
        stack.push_async_callback(server.drain, grace_s=1)
        async with asyncio.timeout(20):
            await _until_ready(wiring.ready[0])
        yield mesh


async def _until_ready(check: Check) -> None:
    while True:
        try:
            await check()
        except FeedUnavailable:
            await asyncio.sleep(0.02)
        else:
            return
