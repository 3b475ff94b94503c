import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from blytz.common.v1.position_pb2 import Position as PositionMessage
from fakes.auction_world import AuctionWorld
from fakes.eventually import eventually
from fakes.feed_client import FeedClient
from fakes.payment_mesh import reason_of
from fakes.realtime_mesh import RealtimeMesh, at_end, read, serving
from kernel.ids import new_id
from svc_realtime.application.viewer import Viewer
from svc_realtime.settings import RealtimeSettings


@pytest.fixture
def world() -> AuctionWorld:
    return AuctionWorld(new_id()).live(bids=3)


@pytest.fixture
async def mesh(
    realtime_settings: RealtimeSettings, tls_folder: Path, world: AuctionWorld
) -> AsyncIterator[RealtimeMesh]:
    async with serving(realtime_settings, tls_folder=tls_folder, worlds=[world]) as running:
        yield running


async def fails_with(stream: Any) -> tuple[str, str, dict[str, str]]:
    """Read until the stream fails; return how it did."""
    try:
        async with asyncio.timeout(10):
            while await stream.read() is not grpc.aio.EOF:
                pass
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    raise AssertionError("the stream ended in good order")


async def test_a_snapshot_then_every_change_through_the_broker(
    mesh: RealtimeMesh, world: AuctionWorld
) -> None:
    client, stream = FeedClient(world), mesh.watch(world.auction_id)
    client.see(await read(stream))
    for _ in range(5):
        await mesh.publish([world.bid()])
        client.see(await read(stream))
    await mesh.publish([world.extend(), world.bid(), world.end()])
    while client.position is None or client.position.sequence < world.last:
        client.see(await read(stream))
    assert client.snapshots == 1
    assert client.updates == 8
    assert mesh.auctions.calls == 2
    stream.cancel()


async def test_what_the_broker_repeats_is_shown_once(
    mesh: RealtimeMesh, world: AuctionWorld
) -> None:
    client, stream = FeedClient(world), mesh.watch(world.auction_id)
    client.see(await read(stream))
    await mesh.publish([*world.events, world.bid(), *world.events, world.bid()])
    while client.position is None or client.position.sequence < world.last:
        client.see(await read(stream))
    assert client.updates == 2
    stream.cancel()


async def test_a_resumed_stream_gets_exactly_what_it_missed(
    mesh: RealtimeMesh, world: AuctionWorld
) -> None:
    client, stream = FeedClient(world), mesh.watch(world.auction_id)
    client.see(await read(stream))
    stream.cancel()
    await mesh.publish([world.bid() for _ in range(30)])
    other = mesh.watch(world.auction_id)
    while (await read(other)).position.sequence < world.last:
        pass
    calls = mesh.auctions.calls
    client.reopened()
    resumed = mesh.watch(world.auction_id, resume_from=PositionMessage(epoch=1, sequence=5))
    client.see(await read(resumed))
    assert client.frames[-1].recovered
    assert client.updates == 30
    assert mesh.auctions.calls == calls, "the history knows"
    resumed.cancel()
    other.cancel()


async def test_a_lost_event_is_noticed_and_mended(mesh: RealtimeMesh, world: AuctionWorld) -> None:
    client, stream = FeedClient(world), mesh.watch(world.auction_id)
    client.see(await read(stream))
    world.bid()
    await mesh.publish([world.bid()])
    client.see(await read(stream))
    assert client.snapshots == 2
    assert client.position == (1, world.last)
    stream.cancel()


async def test_unknown_auctions_and_drafts_are_not_found(
    realtime_settings: RealtimeSettings, tls_folder: Path
) -> None:
    draft = AuctionWorld(new_id())
    draft.create()
    async with serving(realtime_settings, tls_folder=tls_folder, worlds=[draft]) as mesh:
        await mesh.publish(draft.events)
        for auction_id in (new_id(), draft.auction_id):
            for resume_from in (None, PositionMessage(epoch=1, sequence=1)):
                failure = await fails_with(mesh.watch(auction_id, resume_from=resume_from))
                assert failure == ("NOT_FOUND", "AUCTION_NOT_FOUND", {"auction_id": auction_id})


async def test_an_absent_auction_service_is_a_dependency_unavailable(
    mesh: RealtimeMesh, world: AuctionWorld
) -> None:
    mesh.auctions.away = True
    failure = await fails_with(mesh.watch(world.auction_id))
    assert failure == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE", {"dependency": "auction"})


async def test_the_contract_is_enforced(mesh: RealtimeMesh, world: AuctionWorld) -> None:
    status, reason, _ = await fails_with(mesh.watch("no-uuid"))
    assert (status, reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    status, reason, _ = await fails_with(mesh.watch(world.auction_id, caller="payment"))
    assert (status, reason) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
    status, reason, _ = await fails_with(mesh.watch(world.auction_id, token="forged"))
    assert (status, reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")


async def test_a_stream_ends_in_good_order_when_its_token_expires(
    mesh: RealtimeMesh, world: AuctionWorld
) -> None:
    client, stream = FeedClient(world), mesh.watch(world.auction_id, token=mesh.token(lives_s=2))
    client.see(await read(stream))
    client.see(await read(stream))
    assert client.reconnect
    assert await at_end(stream)


async def test_a_stopping_replica_hands_every_viewer_a_position(
    mesh: RealtimeMesh, world: AuctionWorld
) -> None:
    streams = [mesh.watch(world.auction_id) for _ in range(50)]
    clients = [FeedClient(world) for _ in streams]
    for client, stream in zip(clients, streams, strict=True):
        client.see(await read(stream))
    mesh.stopping.set()
    for client, stream in zip(clients, streams, strict=True):
        client.see(await read(stream, within_s=2))
        assert client.reconnect
        assert client.position == (1, world.last)
        assert await at_end(stream)
    await eventually(lambda: mesh.hub.tally.viewers == 0)


async def test_many_opens_and_cancels_leave_nothing_behind(
    mesh: RealtimeMesh, world: AuctionWorld
) -> None:
    steady = mesh.watch(world.auction_id)
    await read(steady)
    for _ in range(10):
        streams = [mesh.watch(world.auction_id) for _ in range(40)]
        for stream in streams[::2]:
            await read(stream)
        for stream in streams:
            stream.cancel()
        await mesh.publish([world.bid()])
    await eventually(lambda: mesh.hub.tally.viewers == 1)
    del stream, streams
    await asyncio.sleep(0.1)
    mesh.hub.sweep()
    gc.collect()
    assert sum(isinstance(thing, Viewer) for thing in gc.get_objects()) == 1
    assert len([t for t in asyncio.all_tasks() if "WatchAuction" in repr(t)]) <= 1
    steady.cancel()


async def test_a_viewer_who_does_not_read_is_closed_and_costs_the_others_nothing(
    realtime_settings: RealtimeSettings, tls_folder: Path, world: AuctionWorld
) -> None:
    settings = replace(
        realtime_settings,
        feed_viewer_buffer_bytes_max=16 * 1024,
        feed_viewer_stuck_s=0.5,
        feed_frame_interval_s=0.0,
    )
    async with (
        serving(settings, tls_folder=tls_folder, worlds=[world]) as mesh,
        mesh.narrow_watch(world.auction_id) as stalled,
    ):
        client, quick = FeedClient(world), mesh.watch(world.auction_id)
        client.see(await read(quick))
        await read(stalled)
        while mesh.hub.tally.too_slow == 0:
            assert world.last < 20_000
            await mesh.publish([world.bid() for _ in range(200)])
            while client.position is None or client.position.sequence < world.last:
                client.see(await read(quick))
        await eventually(lambda: mesh.hub.tally.viewers == 1)
        assert client.snapshots == 1
        assert mesh.hub.tally.conflations == 1
        status, reason, _ = await fails_with(stalled)
        assert (status, reason) == ("RESOURCE_EXHAUSTED", "VIEWER_TOO_SLOW")
        quick.cancel()
