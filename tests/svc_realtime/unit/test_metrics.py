import asyncio

from prometheus_client import REGISTRY

from fakes.auction_world import AUCTION_ID, AuctionWorld, WorldSource
from fakes.hubs import hub_of, next_frame, settled
from svc_realtime.application.hub import Hub
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.viewer import STALENESS_SAMPLE
from svc_realtime.infrastructure.frame_codec import ProtobufFrameCodec
from svc_realtime.infrastructure.metrics import Meter


def value(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


async def test_what_the_hub_does_is_published_once() -> None:
    world = AuctionWorld().live(bids=2)
    async with hub_of(WorldSource(world)) as hub:
        meter = Meter(hub)
        before = {
            name: value(f"blytz_realtime_{name}_total")
            for name in ("deliveries", "frames", "frame_bytes", "snapshot_loads", "duplicates")
        }
        viewers = [hub.watch(AUCTION_ID) for _ in range(3)]
        for viewer in viewers:
            await next_frame(viewer)
        for _ in range(2):
            world.bid()
        hub.receive(world.changes(3))
        sizes = [(await next_frame(viewer)).ByteSize() for viewer in viewers]
        meter.publish()
        meter.publish()
        assert value("blytz_realtime_viewers") == 3
        assert value("blytz_realtime_auctions") == 1
        grown = {
            name: value(f"blytz_realtime_{name}_total") - count for name, count in before.items()
        }
        assert grown.pop("frame_bytes") > sum(sizes)
        assert grown == {"deliveries": 6, "frames": 6, "snapshot_loads": 1, "duplicates": 1}


async def test_staleness_is_sampled_from_commit_to_leaving() -> None:
    world = AuctionWorld().live()
    samples: list[float] = []
    committed_at_s = world.now.timestamp()
    hub = Hub(
        source=WorldSource(world),
        codec=ProtobufFrameCodec(),
        limits=HubLimits(frame_interval_s=0.0),
        observe_staleness=samples.append,
        wall_clock=lambda: committed_at_s + 10.0,
    )
    viewer = hub.watch(AUCTION_ID)
    await next_frame(viewer)
    for _ in range(2 * STALENESS_SAMPLE):
        world.bid()
        hub.receive([world.change(world.last)])
        await settled()
        assert viewer.take() is not None
    assert len(samples) == 2
    assert all(8.0 < sample < 10.0 for sample in samples)
    await asyncio.sleep(0)
    await hub.close()
