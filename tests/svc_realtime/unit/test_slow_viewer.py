import asyncio

import pytest

from fakes.auction_world import AUCTION_ID, AuctionWorld, WorldSource
from fakes.feed_client import FeedClient
from svc_realtime.application.hub import Hub
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.viewer import ViewerState
from svc_realtime.domain.errors import ViewerTooSlow
from svc_realtime.domain.position import Position
from svc_realtime.infrastructure.frame_codec import ProtobufFrameCodec

LIMITS = HubLimits(frame_interval_s=0.0, viewer_buffer_bytes_max=2_000, viewer_stuck_s=0.05)


def hub_of(world: AuctionWorld, limits: HubLimits = LIMITS) -> Hub:
    return Hub(
        source=WorldSource(world),
        codec=ProtobufFrameCodec(),
        limits=limits,
        observe_staleness=lambda _seconds: None,
    )


async def bids(hub: Hub, world: AuctionWorld, count: int) -> None:
    for _ in range(count):
        world.bid()
        hub.receive([world.change(world.last)])
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_viewer_a_little_behind_gets_all_in_one_message() -> None:
    world = AuctionWorld().live()
    hub = hub_of(world)
    client = FeedClient(world)
    viewer = hub.watch(AUCTION_ID)
    await asyncio.sleep(0.01)
    client.drain(viewer)
    await bids(hub, world, 4)
    client.drain(viewer)
    assert len(client.frames) == 2
    assert len(client.frames[-1].updates) == 4
    await hub.close()


async def test_a_viewer_far_behind_gets_a_fresh_snapshot_and_the_others_nothing_but_updates() -> (
    None
):
    world = AuctionWorld().live()
    hub = hub_of(world)
    slow, quick = FeedClient(world), FeedClient(world)
    slow_viewer, quick_viewer = hub.watch(AUCTION_ID), hub.watch(AUCTION_ID)
    await asyncio.sleep(0.01)
    slow.drain(slow_viewer)
    for _ in range(30):
        await bids(hub, world, 1)
        quick.drain(quick_viewer)
    assert slow_viewer.state is ViewerState.CONFLATED
    assert hub.tally.conflations == 1
    slow.drain(slow_viewer)
    assert slow.snapshots == 2
    assert slow.position == quick.position == Position(1, world.last)
    assert (quick.snapshots, quick.updates) == (1, 30)
    await bids(hub, world, 1)
    slow.drain(slow_viewer)
    assert slow.position == Position(1, world.last)
    assert slow.frames[-1].updates, "it follows again"
    await hub.close()


async def test_a_viewer_who_stays_stuck_is_closed_and_hears_of_it_when_they_take_again() -> None:
    world = AuctionWorld().live()
    hub = hub_of(world)
    woken: list[bool] = []
    viewer = hub.watch(AUCTION_ID, wake=lambda: woken.append(True))
    await asyncio.sleep(0.01)
    FeedClient(world).drain(viewer)
    await bids(hub, world, 30)
    hub.sweep()
    assert hub.tally.too_slow == 0
    await asyncio.sleep(0.06)
    woken.clear()
    hub.sweep()
    assert viewer.state is ViewerState.ENDED
    assert woken, "a transport that can reset the stream hears of it at once"
    assert (hub.tally.too_slow, hub.tally.viewers) == (1, 0)
    with pytest.raises(ViewerTooSlow):
        await viewer.next()
    viewer.leave()
    assert hub.tally.viewers == 0
    await hub.close()


async def test_heartbeats_do_not_pile_up_for_a_stalled_viewer() -> None:
    world = AuctionWorld().live()
    hub = hub_of(world, HubLimits(heartbeat_s=0.0))
    viewer = hub.watch(AUCTION_ID)
    await asyncio.sleep(0.01)
    for _ in range(100):
        hub.sweep()
    assert viewer.take() is not None
    assert viewer.take() is None
    await hub.close()


async def test_what_waits_for_a_viewer_is_bounded_in_bytes() -> None:
    world = AuctionWorld().live()
    hub = hub_of(world)
    viewer = hub.watch(AUCTION_ID)
    await asyncio.sleep(0.01)
    FeedClient(world).drain(viewer)
    for _ in range(200):
        await bids(hub, world, 1)
        assert viewer._buffered_bytes <= LIMITS.viewer_buffer_bytes_max
    await hub.close()


async def test_a_viewer_told_through_a_callback_takes_what_is_there() -> None:
    world = AuctionWorld().live()
    hub = hub_of(world)
    client = FeedClient(world)
    woken: list[bool] = []
    viewer = hub.watch(AUCTION_ID, wake=lambda: woken.append(True))
    await asyncio.sleep(0.01)
    assert woken
    client.drain(viewer)
    woken.clear()
    await bids(hub, world, 1)
    assert woken
    client.drain(viewer)
    assert client.position == Position(1, world.last)
    await hub.close()
