"""An auction's feed: one stream after another, without a gap or a duplicate in between."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Self

import grpc

from blytz.common.v1.position_pb2 import Position
from blytz.realtime.v1 import realtime_service_pb2
from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionRequest, WatchAuctionResponse
from blytz_client.backoff import Backoff
from blytz_client.connection import Connection
from blytz_client.errors import BlytzCallError, from_rpc_error
from blytz_client.policy import policies_of

REALTIME = policies_of(realtime_service_pb2.DESCRIPTOR.services_by_name["RealtimeService"])
BACKOFF = Backoff(first_s=0.1, longest_s=5.0)
SILENCE_S_MAX = 50.0
"""The server sends a heartbeat every 20 seconds; a stream silent for longer than this is dead."""
HANDOVER_S_MAX = 0.5
"""All who are told to reconnect spread over this long."""

_FINAL = frozenset(
    {
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)


class AuctionFeed:
    """An async iterator of frames; use it in ``async with`` so that its stream ends with it.

    ``position`` is the last position that was yielded, None before the first frame. ``connected``
    says whether a stream is open; ``reconnections`` counts the streams after the first,
    ``updates_repeated`` the updates that came again and were not yielded again.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        authorize: Callable[[], Awaitable[str | None]],
        auction_id: str,
        resume_from: Position | None,
        give_up_after_s: float | None,
        heartbeats: bool,
    ) -> None:
        self.position = resume_from
        self.connected = False
        self.reconnections = 0
        self.updates_repeated = 0
        self._connection = connection
        self._authorize = authorize
        self._auction_id = auction_id
        self._give_up_after_s = give_up_after_s
        self._heartbeats = heartbeats
        self._heard_at_s = time.monotonic()
        self._attempt = 0
        self._frames = self._follow()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WatchAuctionResponse:
        return await self._frames.__anext__()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the stream."""
        await self._frames.aclose()

    async def _follow(self) -> AsyncGenerator[WatchAuctionResponse]:
        """Yield frames of stream after stream; raise what no reconnection can mend."""
        while True:
            error: BlytzCallError | None = None
            handed_over = False
            try:
                async with aclosing(self._stream()) as stream:
                    async for frame in stream:
                        handed_over = frame.reconnect
                        if self._advance(frame):
                            yield frame
            except BlytzCallError as call_error:
                error = call_error
            finally:
                self.connected = False
            await self._pause(error, handed_over=handed_over)
            self.reconnections += 1

    async def _stream(self) -> AsyncGenerator[WatchAuctionResponse]:
        """Yield the frames of one stream until it ends or falls silent."""
        call = self._connection.stream(
            REALTIME["WatchAuction"],
            WatchAuctionRequest(auction_id=self._auction_id, resume_from=self.position),
            WatchAuctionResponse,
            authorization=await self._authorize(),
        )
        try:
            while True:
                async with asyncio.timeout(SILENCE_S_MAX):
                    frame = await call.read()
                if frame is grpc.aio.EOF:
                    return
                self.connected, self._attempt = True, 0
                self._heard_at_s = time.monotonic()
                yield frame
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        except TimeoutError as error:
            raise BlytzCallError(grpc.StatusCode.UNAVAILABLE, "the stream fell silent") from error
        finally:
            call.cancel()

    def _advance(self, frame: WatchAuctionResponse) -> bool:
        """Take the frame's position; return whether it has something to show.

        Updates that were yielded before are dropped: a stream may be cut while the position that
        it would have been resumed from was still on its way.
        """
        known = self.position
        if frame.HasField("position"):
            if known is not None and known.epoch == frame.position.epoch:
                seen = [u for u in frame.updates if u.sequence <= known.sequence]
                if seen and not frame.HasField("snapshot"):
                    del frame.updates[: len(seen)]
                    self.updates_repeated += len(seen)
            self.position = Position(epoch=frame.position.epoch, sequence=frame.position.sequence)
        return bool(frame.updates) or frame.HasField("snapshot") or self._heartbeats

    async def _pause(self, error: BlytzCallError | None, *, handed_over: bool) -> None:
        """Wait before the next stream, or raise ``error`` if none could do better."""
        if handed_over:
            await asyncio.sleep(random.uniform(0.0, HANDOVER_S_MAX))  # noqa: S311 - no secret
            return
        if error is not None and error.status in _FINAL:
            raise error
        away_s = time.monotonic() - self._heard_at_s
        if self._give_up_after_s is not None and away_s > self._give_up_after_s:
            raise error or BlytzCallError(grpc.StatusCode.UNAVAILABLE, "the stream ended")
        retry_after_s = None if error is None else error.retry_after_s
        await asyncio.sleep(BACKOFF.delay_s(self._attempt, retry_after_s))
        self._attempt += 1
