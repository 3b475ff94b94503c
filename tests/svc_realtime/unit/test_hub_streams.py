import asyncio

import pytest

from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionResponse
from fakes.auction_world import AUCTION_ID, AuctionWorld, WorldSource
from fakes.feed_client import FeedClient
from fakes.hubs import hub_of, next_frame, settled
from svc_realtime.application.limits import HubLimits
from svc_realtime.domain.errors import FeedUnavailable
from svc_realtime.domain.position import Position


async def test_a_draining_replica_hands_everyone_a_position() -> None:
    world = AuctionWorld().live(bids=2)
    async with hub_of(WorldSource(world)) as hub:
        viewers = [hub.watch(AUCTION_ID) for _ in range(3)]
        clients = [FeedClient(world) for _ in viewers]
        for client, viewer in zip(clients, viewers, strict=True):
            client.see(await next_frame(viewer))
        world.bid()
        hub.receive([world.change(5)])
        hub.drain()
        for client, viewer in zip(clients, viewers, strict=True):
            while (message := await viewer.next()) is not None:
                client.see(WatchAuctionResponse.FromString(message))
            assert client.reconnect
            assert client.position == Position(1, 5), "what was under way came first"
        with pytest.raises(FeedUnavailable):
            hub.watch(AUCTION_ID)


async def test_a_viewer_without_a_frame_yet_is_handed_back_their_own_position() -> None:
    world = AuctionWorld().live(bids=2)
    source = WorldSource(world)
    source.gate.clear()
    async with hub_of(source) as hub:
        with_position = hub.watch(AUCTION_ID, resume_from=Position(1, 3))
        without = hub.watch(AUCTION_ID)
        hub.drain()
        frame = await next_frame(with_position)
        assert (frame.reconnect, frame.position.sequence) == (True, 3)
        frame = await next_frame(without)
        assert frame.reconnect
        assert not frame.HasField("position")
        assert await without.next() is None


async def test_a_stream_ends_at_the_expiry_of_its_token_or_at_its_age() -> None:
    world = AuctionWorld().live(bids=2)
    limits = HubLimits(stream_age_s=100.0, frame_interval_s=0.0)
    async with hub_of(WorldSource(world), limits) as hub:
        now_s = asyncio.get_running_loop().time()
        ages_s = [hub.watch(AUCTION_ID).ends_at_s - now_s for _ in range(50)]
        assert 79 < min(ages_s) < 95
        assert 105 < max(ages_s) < 121
        viewer, client = hub.watch(AUCTION_ID, expires_in_s=0.01), FeedClient(world)
        client.see(await next_frame(viewer))
        await asyncio.sleep(0.02)
        hub.sweep()
        client.see(await next_frame(viewer))
        assert client.reconnect
        assert await viewer.next() is None


async def test_a_quiet_feed_has_a_heartbeat_and_a_busy_one_needs_none() -> None:
    world = AuctionWorld().live(bids=2)
    limits = HubLimits(heartbeat_s=0.05, frame_interval_s=0.0)
    async with hub_of(WorldSource(world), limits) as hub:
        viewer, client = hub.watch(AUCTION_ID), FeedClient(world)
        client.see(await next_frame(viewer))
        await asyncio.sleep(0.06)
        world.bid()
        hub.receive([world.change(5)])
        client.see(await next_frame(viewer))
        hub.sweep()
        assert viewer.idle
        await asyncio.sleep(0.06)
        hub.sweep()
        beat = await next_frame(viewer)
        client.see(beat)
        assert beat.position.sequence == 5
        assert not beat.updates
        assert beat.HasField("server_time")


async def test_frames_leave_at_once_when_idle_and_together_under_load() -> None:
    world = AuctionWorld().live(bids=2)
    async with hub_of(WorldSource(world), HubLimits(frame_interval_s=0.05)) as hub:
        viewer, client = hub.watch(AUCTION_ID), FeedClient(world)
        client.see(await next_frame(viewer))
        world.bid()
        hub.receive([world.change(5)])
        await settled()
        assert not viewer.idle
        client.drain(viewer)
        for _ in range(20):
            world.bid()
            hub.receive([world.change(world.last)])
            await settled()
        assert viewer.idle, "the next frame is due 50 ms after the last"
        client.see(await next_frame(viewer))
        assert len(client.frames[-1].updates) == 20


async def test_a_full_frame_does_not_wait() -> None:
    world = AuctionWorld().live()
    limits = HubLimits(frame_interval_s=60.0, frame_updates_max=10)
    async with hub_of(WorldSource(world), limits) as hub:
        viewer, client = hub.watch(AUCTION_ID), FeedClient(world)
        client.see(await next_frame(viewer))
        for _ in range(25):
            world.bid()
        hub.receive(world.changes(2))
        client.see(await next_frame(viewer))
        assert len(client.frames[-1].updates) == 20


async def test_the_bytes_of_a_frame_are_shared_by_all_viewers() -> None:
    world = AuctionWorld().live(bids=2)
    async with hub_of(WorldSource(world)) as hub:
        viewers = [hub.watch(AUCTION_ID) for _ in range(5)]
        await settled()
        assert len({id(viewer.take()) for viewer in viewers}) == 1
        world.bid()
        hub.receive([world.change(5)])
        await settled()
        assert len({id(viewer.take()) for viewer in viewers}) == 1
        resumed = [hub.watch(AUCTION_ID, resume_from=Position(1, 4)) for _ in range(5)]
        assert len({id(viewer.take()) for viewer in resumed}) == 1
