"""One auction's feed: its log, its viewers, and when they are sent what."""

import asyncio
import logging
from collections.abc import Callable

from kernel.errors import BlytzError
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.ports import FrameCodec, Tally
from svc_realtime.application.viewer import Frame, Viewer, ViewerState
from svc_realtime.domain.auction_log import AuctionLog, Verdict
from svc_realtime.domain.change import Change, Snapshot
from svc_realtime.domain.errors import ViewerTooSlow
from svc_realtime.domain.position import Position

RESUMED_FRAMES_MAX = 256
"""How many different first frames are kept for those who come back together."""

log = logging.getLogger(__name__)


class AuctionFeed:
    """Takes changes in and gives frames out.

    ``flushed`` is the number of the last event that LIVE viewers have in their buffers; the events
    after it leave together with the next frame. Nobody ever gets a frame that does not follow what
    they have: who cannot be given exactly what they miss gets a snapshot, or waits for one.
    """

    def __init__(
        self,
        *,
        auction_id: str,
        limits: HubLimits,
        codec: FrameCodec,
        tally: Tally,
        loop: asyncio.AbstractEventLoop,
        request_snapshot: Callable[["AuctionFeed"], None],
    ) -> None:
        self.auction_id = auction_id
        self.log = AuctionLog(limits=limits.history, fold=codec.fold)
        self.viewers: dict[Viewer, None] = {}
        self.flushed = 0
        self.unwatched_since_s = loop.time()
        self._limits = limits
        self._codec = codec
        self._tally = tally
        self._loop = loop
        self._request_snapshot = request_snapshot
        self._flush_timer: asyncio.Handle | None = None
        self._flushed_at_s = loop.time() - limits.frame_interval_s
        self._oldest_pending_s = 0.0
        self._pending_bytes = 0
        # First frames are shared until the next flush or sweep: they tell the time.
        self._snapshot_frame: Frame | None = None
        self._resumed_frames: dict[int, Frame] = {}

    @property
    def position(self) -> Position:
        """Where LIVE viewers are, counting what waits for them."""
        return Position(self.log.epoch, self.flushed)

    def waiting(self) -> list[Viewer]:
        """Return the viewers who wait for a snapshot."""
        return [viewer for viewer in self.viewers if viewer.state is ViewerState.WAITING]

    def receive(self, change: Change) -> None:
        """Take an event in; duplicates are dropped, and a gap makes the feed start over."""
        verdict = self.log.append(change)
        if verdict is Verdict.KNOWN:
            self._tally.duplicates_dropped += 1
            return
        if verdict is Verdict.BREAK:
            self._start_over(self.log.base)
        if not self.viewers:
            self.flush()
            return
        if self.flushed == self.log.last - 1:
            self._oldest_pending_s = change.committed_at_s
        self._pending_bytes += len(change.update)
        if (
            self._pending_bytes >= self._limits.frame_bytes_max
            or self.log.last - self.flushed >= self._limits.frame_updates_max
        ):
            self.flush()
        elif self._flush_timer is None:
            self._schedule_flush()

    def flush(self) -> None:
        """Give what is pending to the LIVE viewers, as one frame."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        if self.flushed == self.log.last:
            return
        start, self.flushed = self.flushed, self.log.last
        self._pending_bytes = 0
        self._forget_first_frames()
        if self.viewers:
            self._broadcast(start)
        self.log.settle()

    def join(self, viewer: Viewer) -> None:
        """Add a viewer and give the first frame, now or when a snapshot is there."""
        self.viewers[viewer] = None
        self._tally.viewers += 1
        if not self._resume(viewer):
            self.refresh(viewer, newer_than=viewer.position)

    def leave(self, viewer: Viewer) -> None:
        """Remove a viewer."""
        if viewer in self.viewers:
            del self.viewers[viewer]
            self._tally.viewers -= 1
            self.unwatched_since_s = self._loop.time()

    def refresh(self, viewer: Viewer, *, newer_than: Position | None = None) -> None:
        """Give a snapshot, or let the viewer wait for one.

        A client may know more than this replica yet does (``newer_than``): it is not sent back in
        time.
        """
        frame = None
        if newer_than is None or newer_than <= self.position:
            frame = self._current_snapshot_frame()
        if frame is not None:
            self._tally.not_recovered += viewer.position is not None
            viewer.restart(frame)
        else:
            viewer.await_feed()
            self._request_snapshot(self)

    def adopt(self, snapshot: Snapshot) -> None:
        """Take a loaded snapshot that is not stale, and give those who wait their frames."""
        jumps = snapshot.position > Position(self.log.epoch, self.log.last)
        self.log.adopt(snapshot)
        if jumps:
            self._start_over(self.log.last)
        elif self.flushed < snapshot.position.sequence:
            self.flush()
        for viewer in self.waiting():
            if not self._resume(viewer):
                self.refresh(viewer)

    def fail(self, error: BlytzError, *, newcomers_only: bool) -> None:
        """End the streams of those who wait, or of those among them who have had no frame yet."""
        for viewer in self.waiting():
            if not (newcomers_only and viewer.established):
                viewer.fail(error)

    def sweep(self, now_s: float) -> None:
        """Do what is due each second."""
        for viewer in list(self.viewers):
            if viewer.state is ViewerState.CONFLATED and (
                now_s - viewer.conflated_at_s > self._limits.viewer_stuck_s
            ):
                # They hear of it when they take again; until then they cost nobody anything.
                viewer.fail(ViewerTooSlow())
                self.leave(viewer)
            elif now_s >= viewer.ends_at_s:
                viewer.hand_over()
        self._forget_first_frames()
        if self.viewers and now_s - self._flushed_at_s >= self._limits.heartbeat_s:
            self._beat(now_s)
        if not self.viewers and now_s - self.unwatched_since_s > self._limits.snapshot_linger_s:
            self.log.forget_snapshot()

    def close(self) -> None:
        """Stop the timer."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None

    def _schedule_flush(self) -> None:
        due_s = self._flushed_at_s + self._limits.frame_interval_s
        if self._loop.time() >= due_s:
            # Not at once: what came with this change in one batch leaves with it.
            self._flush_timer = self._loop.call_soon(self._timed_flush)
        else:
            self._flush_timer = self._loop.call_at(due_s, self._timed_flush)

    def _timed_flush(self) -> None:
        self._flush_timer = None
        self.flush()

    def _broadcast(self, start: int) -> None:
        """Give the events ``start + 1`` to ``flushed`` to the LIVE viewers."""
        updates = self.log.between(start, self.flushed)
        if updates is None:
            # More came at once than the history holds.
            self._start_over(self.flushed)
            return
        frame = Frame(
            self._codec.frame(self.position, updates=updates),
            self.position,
            update_count=len(updates),
            committed_at_s=self._oldest_pending_s,
        )
        now_s = self._flushed_at_s = self._loop.time()
        buffer_bytes_max = self._limits.viewer_buffer_bytes_max
        for viewer in list(self.viewers):
            viewer.offer(frame, buffer_bytes_max=buffer_bytes_max, now_s=now_s)

    def _start_over(self, flushed: int) -> None:
        """Continue from ``flushed`` after a break; LIVE viewers wait for a snapshot."""
        self.flushed = flushed
        self._pending_bytes = 0
        self._forget_first_frames()
        lost = [
            viewer
            for viewer in self.viewers
            if viewer.state in {ViewerState.LIVE, ViewerState.CONFLATED}
        ]
        for viewer in lost:
            viewer.await_feed()
        if lost:
            self._tally.breaks += 1
            log.warning("The feed of auction %s broke before %s.", self.auction_id, flushed + 1)
        if self.waiting():
            self._request_snapshot(self)

    def _resume(self, viewer: Viewer) -> bool:
        """Give a viewer exactly what they missed, if it is here."""
        position = viewer.position
        if position is None or position.epoch != self.log.epoch or not self.log.started:
            return False
        if self.flushed < position.sequence <= self.log.last:
            self.flush()
        frame = self._resumed_frames.get(position.sequence)
        if frame is None:
            missed = self.log.between(position.sequence, self.flushed)
            if missed is None:
                return False
            frame = Frame(
                self._codec.frame(self.position, updates=missed, recovered=True),
                self.position,
                update_count=len(missed),
            )
            if len(self._resumed_frames) < RESUMED_FRAMES_MAX:
                self._resumed_frames[position.sequence] = frame
        self._tally.recovered += 1
        viewer.restart(frame)
        return True

    def _current_snapshot_frame(self) -> Frame | None:
        if self._snapshot_frame is None:
            snapshot = self.log.snapshot_at(self.flushed)
            if snapshot is not None:
                payload = self._codec.frame(self.position, snapshot=snapshot)
                self._snapshot_frame = Frame(payload, self.position, alone=True)
        return self._snapshot_frame

    def _forget_first_frames(self) -> None:
        self._snapshot_frame = None
        self._resumed_frames.clear()

    def _beat(self, now_s: float) -> None:
        """Tell the time to all; those who wait for a snapshot keep their own position."""
        self._flushed_at_s = now_s
        beat = Frame(self._codec.frame(self.position), self.position)
        for viewer in list(self.viewers):
            if viewer.state is ViewerState.LIVE:
                viewer.nudge(beat)
            elif viewer.state is ViewerState.WAITING and viewer.established and viewer.position:
                viewer.nudge(Frame(self._codec.frame(viewer.position), viewer.position))
