import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from blytz.auction.v1.auction_pb2 import Auction
from blytz.common.v1.position_pb2 import Position
from blytz.realtime.v1.realtime_service_pb2 import (
    AuctionSnapshot,
    AuctionUpdate,
    WatchAuctionRequest,
    WatchAuctionResponse,
)
from blytz_client import AuctionFeed, Blytz, BlytzCallError, feed
from fakes.scripted_edge import ScriptedEdge, fail, scripted_edge

AUCTION_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"


def at(sequence: int, *, epoch: int = 1) -> Position:
    return Position(epoch=epoch, sequence=sequence)


def snapshot(sequence: int) -> WatchAuctionResponse:
    return WatchAuctionResponse(
        position=at(sequence), snapshot=AuctionSnapshot(auction=Auction(auction_id=AUCTION_ID))
    )


def updates(*sequences: int, recovered: bool = False) -> WatchAuctionResponse:
    return WatchAuctionResponse(
        position=at(sequences[-1]),
        updates=[AuctionUpdate(sequence=sequence) for sequence in sequences],
        recovered=recovered,
    )


@pytest.fixture
async def edge(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedEdge]:
    monkeypatch.setattr(feed, "HANDOVER_S_MAX", 0.01)
    monkeypatch.setattr(feed, "SILENCE_S_MAX", 0.3)
    async with scripted_edge() as edge:
        yield edge


def streams_of(edge: ScriptedEdge, *streams: list[WatchAuctionResponse | grpc.StatusCode]) -> None:
    """Let the edge serve these streams, one after the other; the last one stays open."""
    left = list(streams)

    async def watch(
        _request: WatchAuctionRequest, context: Any
    ) -> AsyncIterator[WatchAuctionResponse]:
        stream = left.pop(0) if left else []
        for item in stream:
            if isinstance(item, grpc.StatusCode):
                await fail(context, item, ErrorInfo(reason="SCRIPTED"))
            else:
                yield item
        if not left:
            await asyncio.sleep(60)

    edge.script = {"WatchAuction": watch}


def resumed_from(edge: ScriptedEdge) -> list[int | None]:
    return [
        request.resume_from.sequence if request.HasField("resume_from") else None
        for _, request in edge.requests
    ]


async def shown(stream: AuctionFeed, count: int) -> list[str]:
    """Return ``count`` frames in short: ``s5`` for a snapshot, ``6`` for an update."""
    seen: list[str] = []
    async with asyncio.timeout(5):
        while len(seen) < count:
            frame = await anext(stream)
            if frame.HasField("snapshot"):
                seen.append(f"s{frame.position.sequence}")
            seen += [str(update.sequence) for update in frame.updates]
    return seen


async def test_a_feed_goes_on_over_breaks_without_a_gap_or_a_duplicate(edge: ScriptedEdge) -> None:
    streams_of(
        edge,
        [snapshot(4), updates(5), grpc.StatusCode.UNAVAILABLE],
        [updates(6, 7, recovered=True), grpc.StatusCode.INTERNAL],
        [updates(8, recovered=True), updates(9, 10)],
    )
    async with Blytz(edge.url) as blytz, blytz.watch_auction(AUCTION_ID) as stream:
        assert await shown(stream, 7) == ["s4", "5", "6", "7", "8", "9", "10"]
        assert stream.position == at(10)
        assert stream.connected
        assert stream.reconnections == 2
    assert resumed_from(edge) == [None, 5, 7]


async def test_a_hand_over_is_followed_at_once(edge: ScriptedEdge) -> None:
    streams_of(
        edge,
        [snapshot(4), WatchAuctionResponse(position=at(4), reconnect=True)],
        [updates(5, recovered=True)],
    )
    async with Blytz(edge.url) as blytz, blytz.watch_auction(AUCTION_ID) as stream:
        assert await shown(stream, 2) == ["s4", "5"]
    assert resumed_from(edge) == [None, 4]


async def test_updates_that_come_again_are_not_shown_again(edge: ScriptedEdge) -> None:
    streams_of(
        edge,
        [snapshot(4), updates(5, 6), grpc.StatusCode.UNAVAILABLE],
        [updates(6, 7, recovered=True), updates(7), updates(8)],
    )
    async with Blytz(edge.url) as blytz, blytz.watch_auction(AUCTION_ID) as stream:
        assert await shown(stream, 5) == ["s4", "5", "6", "7", "8"]
        assert stream.updates_repeated == 2


async def test_a_feed_that_was_left_is_resumed(edge: ScriptedEdge) -> None:
    streams_of(edge, [updates(12, recovered=True)])
    async with Blytz(edge.url) as blytz, blytz.watch_auction(AUCTION_ID, at(11)) as stream:
        assert await shown(stream, 1) == ["12"]
    assert resumed_from(edge) == [11]


async def test_a_silent_stream_is_taken_for_dead(edge: ScriptedEdge) -> None:
    async def silent_first(
        _request: WatchAuctionRequest, _context: Any
    ) -> AsyncIterator[WatchAuctionResponse]:
        if len(edge.requests) == 1:
            yield snapshot(4)
            await asyncio.sleep(60)
        yield updates(5, recovered=True)
        await asyncio.sleep(60)

    edge.script = {"WatchAuction": silent_first}
    async with Blytz(edge.url) as blytz, blytz.watch_auction(AUCTION_ID) as stream:
        assert await shown(stream, 2) == ["s4", "5"]


async def test_heartbeats_are_shown_to_who_wants_them(edge: ScriptedEdge) -> None:
    beat = WatchAuctionResponse(position=at(4))
    streams_of(edge, [snapshot(4), beat, updates(5)])
    async with Blytz(edge.url) as blytz:
        async with blytz.watch_auction(AUCTION_ID) as stream:
            assert await shown(stream, 2) == ["s4", "5"]
        streams_of(edge, [snapshot(4), beat, updates(5)])
        async with blytz.watch_auction(AUCTION_ID, heartbeats=True) as stream:
            frames = [await anext(stream) for _ in range(3)]
        assert not frames[1].updates


async def test_what_no_reconnection_can_mend_is_raised(edge: ScriptedEdge) -> None:
    streams_of(edge, [grpc.StatusCode.NOT_FOUND], [])
    async with Blytz(edge.url) as blytz, blytz.watch_auction(AUCTION_ID) as stream:
        with pytest.raises(BlytzCallError) as raised:
            await anext(stream)
    assert raised.value.status is grpc.StatusCode.NOT_FOUND
    assert raised.value.reason == "SCRIPTED"


async def test_a_feed_gives_up_when_it_is_told_to(edge: ScriptedEdge) -> None:
    async def away(
        _request: WatchAuctionRequest, context: Any
    ) -> AsyncIterator[WatchAuctionResponse]:
        await fail(context, grpc.StatusCode.UNAVAILABLE)
        yield snapshot(1)

    edge.script = {"WatchAuction": away}
    async with (
        Blytz(edge.url) as blytz,
        blytz.watch_auction(AUCTION_ID, give_up_after_s=0.4) as stream,
    ):
        with pytest.raises(BlytzCallError):
            await anext(stream)
    assert len(edge.requests) > 1


async def test_leaving_a_feed_ends_its_stream(edge: ScriptedEdge) -> None:
    ended = asyncio.Event()

    async def watch(
        _request: WatchAuctionRequest, _context: Any
    ) -> AsyncIterator[WatchAuctionResponse]:
        try:
            yield snapshot(4)
            await asyncio.sleep(60)
        finally:
            ended.set()

    edge.script = {"WatchAuction": watch}
    async with Blytz(edge.url) as blytz:
        async with blytz.watch_auction(AUCTION_ID) as stream:
            await anext(stream)
        async with asyncio.timeout(5):
            await ended.wait()
