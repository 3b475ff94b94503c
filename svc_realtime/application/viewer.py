"""One who watches one auction, between the hub and whatever carries the frames to them."""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING

from kernel.errors import BlytzError
from svc_realtime.application.ports import FrameCodec, ObserveStaleness, Tally
from svc_realtime.domain.errors import ViewerTooSlow
from svc_realtime.domain.position import Position

if TYPE_CHECKING:
    from svc_realtime.application.auction_feed import AuctionFeed

STALENESS_SAMPLE = 64
"""One delivery in so many is measured."""


class Frame:
    """Serialised once, and shared by all viewers at the same position."""

    __slots__ = ("alone", "committed_at_s", "payload", "position", "update_count")

    def __init__(
        self,
        payload: bytes,
        position: Position,
        *,
        update_count: int = 0,
        committed_at_s: float = 0.0,
        alone: bool = False,
    ) -> None:
        self.payload = payload
        self.position = position
        self.update_count = update_count
        self.committed_at_s = committed_at_s
        self.alone = alone
        """Whether no later frame may be joined to it."""


class ViewerState(Enum):
    """How a viewer stands to the feed."""

    WAITING = auto()
    """The feed will give them a first frame, or a fresh one, as soon as it can."""
    LIVE = auto()
    """What waits for them ends where the feed ends."""
    CONFLATED = auto()
    """They fell behind: when they take again, they get a snapshot."""
    ENDED = auto()
    """They get what still waits for them, and no more."""


class Viewer:
    """A bounded buffer of frames.

    A transport either awaits ``next()`` in a loop, or calls ``take()`` whenever it can send and
    ``wake`` has told it that there is something, or that the stream is to end. It must call
    ``leave()`` when its stream is over.
    """

    __slots__ = (
        "_buffered_bytes",
        "_clock",
        "_codec",
        "_error",
        "_farewell",
        "_feed",
        "_frames",
        "_observe_staleness",
        "_tally",
        "_waiter",
        "_wake",
        "conflated_at_s",
        "ends_at_s",
        "established",
        "position",
        "state",
    )

    def __init__(
        self,
        *,
        feed: "AuctionFeed",
        codec: FrameCodec,
        tally: Tally,
        observe_staleness: ObserveStaleness,
        wall_clock: Callable[[], float],
        position: Position | None,
        ends_at_s: float,
        wake: Callable[[], object] | None = None,
    ) -> None:
        self.position = position
        """After the last message that was taken; before the first, where the client was."""
        self.state = ViewerState.WAITING
        self.established = False
        """Whether the stream has had its first frame."""
        self.ends_at_s = ends_at_s
        self.conflated_at_s = 0.0
        self._feed = feed
        self._codec = codec
        self._tally = tally
        self._observe_staleness = observe_staleness
        self._clock = wall_clock
        self._wake = wake
        self._frames: deque[Frame] = deque()
        self._buffered_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._farewell = False
        self._error: BlytzError | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing waits for them."""
        return not self._frames

    @property
    def error(self) -> BlytzError | None:
        """Why the stream ended, if not in good order."""
        return self._error

    def restart(self, frame: Frame) -> None:
        """Give a first or fresh frame; from now on the viewer follows the feed."""
        self._clear()
        self.state = ViewerState.LIVE
        self.established = True
        self._put(frame)

    def offer(self, frame: Frame, *, buffer_bytes_max: int, now_s: float) -> None:
        """Give the next frame of the feed to a LIVE viewer; conflate one whose buffer is full."""
        if self.state is not ViewerState.LIVE:
            return
        if self._frames and self._buffered_bytes + len(frame.payload) > buffer_bytes_max:
            self._clear()
            self.state = ViewerState.CONFLATED
            self.conflated_at_s = now_s
            self._tally.conflations += 1
            return
        self._put(frame)

    def nudge(self, frame: Frame) -> None:
        """Give a frame that carries only the time, unless something waits anyway."""
        if not self._frames:
            self._put(frame)

    def await_feed(self) -> None:
        """Drop what waits: the feed has lost the thread and will give a fresh frame."""
        self._clear()
        self.state = ViewerState.WAITING

    def hand_over(self) -> None:
        """End the stream in good order, with a frame that says where to resume."""
        if self.state is not ViewerState.ENDED:
            self.state = ViewerState.ENDED
            self._farewell = True
            self._notify()

    def fail(self, error: BlytzError) -> None:
        """End the stream with an error, at once."""
        if self.state is not ViewerState.ENDED:
            self._clear()
            self.state = ViewerState.ENDED
            self._error = error
            self._tally.too_slow += isinstance(error, ViewerTooSlow)
            self._notify()

    def leave(self) -> None:
        """Forget the viewer: their stream is over."""
        self._clear()
        self.state = ViewerState.ENDED
        self._farewell = False
        self._feed.leave(self)

    def take(self) -> bytes | None:
        """Return the next message, or None if nothing is there now, or ever if ENDED."""
        if self.state is ViewerState.CONFLATED:
            self._feed.refresh(self)
        if not self._frames:
            if not self._farewell:
                return None
            self._farewell = False
            return self._codec.frame(self.position, reconnect=True)
        first = self._frames[0]
        if len(self._frames) == 1 or first.alone:
            last = self._frames.popleft()
            payload, update_count = first.payload, first.update_count
            self._buffered_bytes -= len(payload)
        else:
            last = self._frames[-1]
            payload = self._codec.join([frame.payload for frame in self._frames])
            update_count = sum(frame.update_count for frame in self._frames)
            self._frames.clear()
            self._buffered_bytes = 0
        self.position = last.position
        self._account(payload, update_count, first)
        return payload

    async def next(self) -> bytes | None:
        """Return the next message as soon as there is one; None when the stream is to end.

        Raises the error that ends the stream, if it is not in good order.
        """
        while True:
            message = self.take()
            if message is not None:
                return message
            if self._error is not None:
                raise self._error
            if self.state is ViewerState.ENDED:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def _put(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._buffered_bytes += len(frame.payload)
        self._notify()

    def _clear(self) -> None:
        self._frames.clear()
        self._buffered_bytes = 0

    def _notify(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._wake is not None:
            self._wake()

    def _account(self, payload: bytes, update_count: int, first: Frame) -> None:
        tally = self._tally
        tally.frames_sent += 1
        tally.updates_sent += update_count
        tally.bytes_sent += len(payload)
        if first.committed_at_s and tally.frames_sent % STALENESS_SAMPLE == 0:
            self._observe_staleness(max(0.0, self._clock() - first.committed_at_s))
