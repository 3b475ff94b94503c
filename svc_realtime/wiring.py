"""The one place that builds svc_realtime out of its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from blytz.realtime.v1 import realtime_service_pb2
from servicekit.main import Kit, Wiring
from svc_realtime.application.hub import Hub
from svc_realtime.infrastructure.auction_client import AuctionClient
from svc_realtime.infrastructure.event_log import EventLog
from svc_realtime.infrastructure.event_log_reader import EventLogReader
from svc_realtime.infrastructure.frame_codec import ProtobufFrameCodec
from svc_realtime.infrastructure.grpc_service import RealtimeGrpcService
from svc_realtime.infrastructure.metrics import Meter, staleness_seconds
from svc_realtime.settings import RealtimeSettings

SERVICE = realtime_service_pb2.DESCRIPTOR.services_by_name["RealtimeService"]


@asynccontextmanager
async def wire(settings: RealtimeSettings, kit: Kit) -> AsyncIterator[Wiring]:
    """Build the hub between the event log and the streams."""
    hub = Hub(
        source=AuctionClient(kit.channels.stub(AuctionServiceStub)),
        codec=ProtobufFrameCodec(),
        limits=settings.hub_limits(),
        observe_staleness=staleness_seconds.observe,
    )
    reader = EventLogReader(
        open_log=lambda: EventLog(
            kafka_bootstrap=settings.kafka_bootstrap, rewind_s=settings.feed_rewind_s
        ),
        receive=hub.receive,
    )

    async def hand_over_when_stopping() -> None:
        await kit.stopping.wait()
        hub.drain()

    try:
        yield Wiring(
            rpc=[(SERVICE, RealtimeGrpcService(hub))],
            background=[reader.run, hub.run, Meter(hub).run, hand_over_when_stopping],
            ready=[reader.check],
        )
    finally:
        await hub.close()
