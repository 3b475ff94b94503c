"""Hubs for tests: over a source of worlds, with real frames."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionResponse
from fakes.auction_world import WorldSource
from svc_realtime.application.hub import Hub
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.viewer import Viewer
from svc_realtime.infrastructure.frame_codec import ProtobufFrameCodec


@asynccontextmanager
async def hub_of(source: WorldSource, limits: HubLimits | None = None) -> AsyncIterator[Hub]:
    hub = Hub(
        source=source,
        codec=ProtobufFrameCodec(),
        limits=limits or HubLimits(frame_interval_s=0.0),
        observe_staleness=lambda _seconds: None,
    )
    try:
        yield hub
    finally:
        await hub.close()


async def settled() -> None:
    """Let the loop do all that is ready."""
    for _ in range(12):
        await asyncio.sleep(0)


async def next_frame(viewer: Viewer) -> WatchAuctionResponse:
    async with asyncio.timeout(2):
        message = await viewer.next()
    assert message is not None
    return WatchAuctionResponse.FromString(message)
