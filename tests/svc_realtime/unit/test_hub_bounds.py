import asyncio
import gc

import pytest

from fakes.auction_world import AUCTION_ID, AuctionWorld, WorldSource
from fakes.hubs import hub_of, next_frame, settled
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.viewer import Viewer
from svc_realtime.domain.errors import AuctionNotFound, HubFull
from svc_realtime.domain.position import Position


async def test_an_unknown_auction_is_said_to_be_so_and_forgotten() -> None:
    async with hub_of(WorldSource()) as hub:
        viewers = [hub.watch(AUCTION_ID) for _ in range(3)]
        for viewer in viewers:
            with pytest.raises(AuctionNotFound):
                await viewer.next()
            viewer.leave()
        hub.sweep()
        assert hub.auction_count == 0


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
    limits = HubLimits(histories_bytes_max=20_000)
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
