import pytest

from fakes.auction_world import AUCTION_ID, AuctionWorld, WorldSource
from fakes.feed_client import FeedClient
from fakes.hubs import hub_of, next_frame, settled
from svc_realtime.application.limits import HubLimits
from svc_realtime.domain.errors import AuctionNotFound
from svc_realtime.domain.history import HistoryLimits
from svc_realtime.domain.position import Position


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


async def test_shared_first_frames_are_those_of_now_though_nobody_watched_for_a_while() -> None:
    world = AuctionWorld().live(bids=2)
    async with hub_of(WorldSource(world)) as hub:
        first = hub.watch(AUCTION_ID)
        await next_frame(first)
        resumed = hub.watch(AUCTION_ID, resume_from=Position(1, 4))
        await next_frame(resumed)
        first.leave()
        resumed.leave()
        world.bid()
        hub.receive([world.change(5)])
        assert (await next_frame(hub.watch(AUCTION_ID))).position.sequence == 5
        frame = await next_frame(hub.watch(AUCTION_ID, resume_from=Position(1, 4)))
        assert [update.sequence for update in frame.updates] == [5]


async def test_a_draft_is_not_watched_by_one_who_asks_before_its_event_comes() -> None:
    draft = AuctionWorld()
    draft.create()
    source = WorldSource()
    source.gate.clear()
    async with hub_of(source) as hub:
        early = hub.watch(AUCTION_ID)
        hub.receive([draft.change(1)])
        resumed = hub.watch(AUCTION_ID, resume_from=Position(1, 1))
        source.gate.set()
        for viewer in (early, resumed):
            with pytest.raises(AuctionNotFound):
                await next_frame(viewer)
