import asyncio

import pytest

from fakes.auction_world import AUCTION_ID, AuctionWorld, WorldSource
from fakes.feed_client import FeedClient
from fakes.hubs import hub_of, next_frame, settled
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.viewer import ViewerState
from svc_realtime.domain.errors import FeedUnavailable
from svc_realtime.domain.position import Position


async def test_a_snapshot_waits_for_a_log_that_lags_and_the_history_stays_whole() -> None:
    world = AuctionWorld().live(bids=8)
    async with hub_of(WorldSource(world)) as hub:
        hub.receive(world.changes(2, 5))
        resumed, client = hub.watch(AUCTION_ID, resume_from=Position(1, 3)), FeedClient(world)
        client.position = Position(1, 3)
        client.see(await next_frame(resumed))
        newcomer = hub.watch(AUCTION_ID)
        await settled()
        assert newcomer.idle, "the snapshot is at 10, the log at 5"
        hub.receive(world.changes(5))
        frame = await next_frame(newcomer)
        assert frame.position.sequence == 10
        client.drain(resumed)
        assert client.snapshots == 0
        assert client.position == Position(1, 10)


async def test_a_log_that_stays_behind_gives_way_to_the_snapshot() -> None:
    world = AuctionWorld().live(bids=8)
    limits = HubLimits(frame_interval_s=0.0, catch_up_s=0.0)
    async with hub_of(WorldSource(world), limits) as hub:
        hub.receive(world.changes(2, 5))
        resumed, client = hub.watch(AUCTION_ID, resume_from=Position(1, 3)), FeedClient(world)
        client.position = Position(1, 3)
        client.see(await next_frame(resumed))
        newcomer = hub.watch(AUCTION_ID)
        assert (await next_frame(newcomer)).position.sequence == 10
        client.drain(resumed)
        assert client.snapshots == 1
        hub.receive(world.changes(5))
        await settled()
        assert resumed.idle


async def test_a_gap_is_closed_from_the_auction_service() -> None:
    world = AuctionWorld().live(bids=2)
    source = WorldSource(world)
    async with hub_of(source) as hub:
        viewer, client = hub.watch(AUCTION_ID), FeedClient(world)
        client.see(await next_frame(viewer))
        world.bid()
        world.bid()
        hub.receive([world.change(6)])
        client.see(await next_frame(viewer))
        assert client.snapshots == 2
        assert client.position == Position(1, 6)
        assert (hub.tally.breaks, source.loads) == (1, 2)
        world.bid()
        hub.receive(world.changes(5))
        client.see(await next_frame(viewer))
        assert client.position == Position(1, 7)


async def test_a_gap_is_closed_though_the_first_readings_are_stale() -> None:
    world = AuctionWorld().live(bids=2)
    source = WorldSource(world)
    async with hub_of(source) as hub:
        viewer, client = hub.watch(AUCTION_ID), FeedClient(world)
        client.see(await next_frame(viewer))
        for _ in range(4):
            world.bid()
        source.lag = 3
        hub.receive([world.change(8)])
        await asyncio.sleep(0.06)
        assert viewer.idle
        source.lag = 0
        client.see(await next_frame(viewer))
        assert client.position == Position(1, 8)


async def test_a_gap_of_an_auction_that_nobody_watches_asks_nobody() -> None:
    world = AuctionWorld().live(bids=10)
    source = WorldSource(world)
    async with hub_of(source) as hub:
        hub.receive([*world.changes(2, 5), *world.changes(7)])
        await settled()
        assert source.loads == 0
        frame = await next_frame(hub.watch(AUCTION_ID, resume_from=Position(1, 8)))
        assert frame.recovered


async def test_newcomers_are_told_when_the_auction_service_is_away_and_others_wait() -> None:
    world = AuctionWorld().live(bids=2)
    source = WorldSource(world)
    async with hub_of(source) as hub:
        viewer, client = hub.watch(AUCTION_ID), FeedClient(world)
        client.see(await next_frame(viewer))
        source.error = FeedUnavailable(dependency="auction")
        world.bid()
        world.bid()
        hub.receive([world.change(6)])
        newcomer = hub.watch(AUCTION_ID)
        with pytest.raises(FeedUnavailable):
            await newcomer.next()
        newcomer.leave()
        assert viewer.state is ViewerState.WAITING
        source.error = None
        client.see(await next_frame(viewer))
        assert client.position == Position(1, 6)


async def test_a_broken_source_is_a_dependency_that_is_away() -> None:
    source = WorldSource(AuctionWorld().live())
    source.error = RuntimeError("boom")
    async with hub_of(source) as hub:
        with pytest.raises(FeedUnavailable):
            await hub.watch(AUCTION_ID).next()
