import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionResponse
from fakes.auction_world import AUCTION_ID, AuctionWorld, WorldSource
from fakes.feed_client import FeedClient
from svc_realtime.application.hub import Hub
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.viewer import Viewer, ViewerState
from svc_realtime.domain.errors import AuctionNotFound, FeedUnavailable, HubFull
from svc_realtime.domain.history import HistoryLimits
from svc_realtime.domain.position import Position
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


async def test_a_new_viewer_gets_a_snapshot_then_each_change() -> None:
    world = AuctionWorld().live(bids=3)
    async with hub_of(WorldSource(world)) as hub:
        viewer, client = hub.watch(AUCTION_ID), FeedClient(world)
        client.see(await next_frame(viewer))
        assert client.snapshots == 1
        for _ in range(3):
            world.bid()
            hub.receive([world.change(world.last)])
            client.see(await next_frame(viewer))
        assert client.position == Position(1, 8)
        assert client.updates == 3


async def test_many_viewers_at_once_ask_the_auction_service_once() -> None:
    world = AuctionWorld().live(bids=3)
    source = WorldSource(world)
    async with hub_of(source) as hub:
        viewers = [hub.watch(AUCTION_ID) for _ in range(200)]
        frames = [await next_frame(viewer) for viewer in viewers]
        assert source.loads == 1
        assert all(frame.snapshot == world.pictures[-1] for frame in frames)
        for viewer in viewers:
            viewer.leave()
        again = hub.watch(AUCTION_ID)
        assert again.take() is not None, "cached: nobody is asked and nothing is awaited"
        assert source.loads == 1


async def test_what_commits_during_the_load_is_neither_lost_nor_doubled() -> None:
    world = AuctionWorld().live(bids=1)
    source = WorldSource(world)
    source.gate.clear()
    async with hub_of(source) as hub:
        viewer, client = hub.watch(AUCTION_ID), FeedClient(world)
        await settled()
        for _ in range(5):
            world.bid()
            hub.receive([world.change(world.last)])
        source.gate.set()
        client.see(await next_frame(viewer))
        await settled()
        client.drain(viewer)
        assert client.position == Position(1, world.last)
        assert source.loads == 1


async def test_a_snapshot_ahead_of_the_log_makes_later_copies_duplicates() -> None:
    world = AuctionWorld().live(bids=5)
    async with hub_of(WorldSource(world)) as hub:
        viewer, client = hub.watch(AUCTION_ID), FeedClient(world)
        client.see(await next_frame(viewer))
        hub.receive(world.changes(2))
        await settled()
        assert viewer.idle
        world.bid()
        hub.receive(world.changes(2))
        client.see(await next_frame(viewer))
        assert client.position == Position(1, 8)
        assert hub.tally.duplicates_dropped == 10


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


async def test_a_resumed_viewer_gets_exactly_what_they_missed() -> None:
    world = AuctionWorld().live(bids=20)
    source = WorldSource(world)
    async with hub_of(source) as hub:
        hub.receive(world.changes(2))
        viewer = hub.watch(AUCTION_ID, resume_from=Position(1, 15))
        frame = await next_frame(viewer)
        assert frame.recovered
        assert [update.sequence for update in frame.updates] == [16, 17, 18, 19, 20, 21, 22]
        assert source.loads == 0, "the history knows"


async def test_a_resumed_viewer_who_missed_nothing_is_told_so() -> None:
    world = AuctionWorld().live(bids=2)
    async with hub_of(WorldSource(world)) as hub:
        hub.receive(world.changes(2))
        frame = await next_frame(hub.watch(AUCTION_ID, resume_from=Position(1, 4)))
        assert frame.recovered
        assert not frame.updates
        assert frame.position.sequence == 4


@pytest.mark.parametrize(
    "resume_from", [Position(1, 3), Position(2, 5)], ids=["too old", "another epoch"]
)
async def test_who_cannot_be_given_what_they_missed_gets_a_snapshot(resume_from: Position) -> None:
    world = AuctionWorld(epoch=3).live(bids=20)
    limits = HubLimits(frame_interval_s=0.0, history=HistoryLimits(updates_max=5))
    async with hub_of(WorldSource(world), limits) as hub:
        hub.receive(world.changes(2))
        frame = await next_frame(hub.watch(AUCTION_ID, resume_from=resume_from))
        assert not frame.recovered
        assert frame.snapshot == world.pictures[-1]


async def test_a_client_that_knows_more_than_this_replica_is_not_sent_back_in_time() -> None:
    world = AuctionWorld().live(bids=20)
    source = WorldSource(world)
    async with hub_of(source) as hub:
        early = hub.watch(AUCTION_ID)
        await next_frame(early)
        world.bid()
        viewer, client = hub.watch(AUCTION_ID, resume_from=Position(1, 23)), FeedClient(world)
        client.position = Position(1, 23)
        await settled()
        assert viewer.idle
        hub.receive([world.change(23)])
        client.see(await next_frame(viewer))
        assert client.frames[0].recovered
        assert client.position == Position(1, 23)


async def test_a_position_that_never_was_gets_a_snapshot_in_the_end() -> None:
    world = AuctionWorld().live(bids=2)
    source = WorldSource(world)
    async with hub_of(source) as hub:
        frame = await next_frame(hub.watch(AUCTION_ID, resume_from=Position(1, 999)))
        assert frame.position.sequence == 4
        assert not frame.recovered
        assert frame.HasField("snapshot")


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


async def test_a_draft_is_not_followed_and_its_announcement_is() -> None:
    world = AuctionWorld()
    world.create()
    async with hub_of(WorldSource(world)) as hub:
        hub.receive([world.change(1)])
        assert hub.auction_count == 0
        early = hub.watch(AUCTION_ID, resume_from=Position(1, 1))
        with pytest.raises(AuctionNotFound):
            await early.next()
        early.leave()
        world.schedule()
        hub.receive([world.change(2)])
        frame = await next_frame(hub.watch(AUCTION_ID, resume_from=Position(1, 1)))
        assert [update.WhichOneof("change") for update in frame.updates] == ["auction"]


async def test_an_unknown_auction_is_said_to_be_so_and_forgotten() -> None:
    async with hub_of(WorldSource()) as hub:
        viewers = [hub.watch(AUCTION_ID) for _ in range(3)]
        for viewer in viewers:
            with pytest.raises(AuctionNotFound):
                await viewer.next()
            viewer.leave()
        hub.sweep()
        assert hub.auction_count == 0


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


async def test_everything_is_bounded() -> None:
    worlds = [AuctionWorld(f"0190a1b2-c3d4-7e5f-8a6b-{n:012x}").live(bids=3) for n in range(6)]
    limits = HubLimits(frame_interval_s=0.0, auctions_max=4, viewers_max=5)
    async with hub_of(WorldSource(*worlds), limits) as hub:
        for world in worlds:
            hub.receive(world.changes(1))
        assert hub.auction_count == 4
        viewers = [hub.watch(world.auction_id) for world in worlds[:4]]
        with pytest.raises(HubFull):
            hub.watch(worlds[5].auction_id)
        hub.receive(worlds[5].changes(1))
        assert hub.auction_count == 4
        viewers.append(hub.watch(worlds[0].auction_id))
        with pytest.raises(HubFull):
            hub.watch(worlds[0].auction_id)
        viewers[-1].leave()
        hub.watch(worlds[0].auction_id)


async def test_histories_are_forgotten_from_the_longest_silent_on() -> None:
    worlds = [AuctionWorld(f"0190a1b2-c3d4-7e5f-8a6b-{n:012x}").live(bids=20) for n in range(6)]
    limits = HubLimits(histories_bytes_max=3 * 20 * 400)
    async with hub_of(WorldSource(*worlds), limits) as hub:
        watched = hub.watch(worlds[0].auction_id)
        await next_frame(watched)
        for world in worlds:
            hub.receive(world.changes(2))
        hub.sweep()
        assert 1 < hub.auction_count < 6
        frame = await next_frame(hub.watch(worlds[5].auction_id, resume_from=Position(1, 20)))
        assert frame.recovered, "the latest is still there"
        worlds[0].bid()
        hub.receive(worlds[0].changes(22))
        assert (await next_frame(watched)).updates, "a watched auction is never forgotten"


async def test_opened_and_closed_streams_leave_nothing_behind() -> None:
    world = AuctionWorld().live(bids=5)
    async with hub_of(WorldSource(world)) as hub:
        await next_frame(hub.watch(AUCTION_ID))
        for _ in range(2_000):
            viewer = hub.watch(AUCTION_ID)
            waiting = asyncio.ensure_future(viewer.next())
            await asyncio.sleep(0)
            waiting.cancel()
            viewer.leave()
        del viewer, waiting
        await settled()
        hub.sweep()
        gc.collect()
        alive = sum(isinstance(thing, Viewer) for thing in gc.get_objects())
        assert alive <= 1
        assert hub.tally.viewers == 1
