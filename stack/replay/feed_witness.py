"""A watcher that notes every sequence that a feed shows, across all reconnections."""

import asyncio
from types import TracebackType
from typing import Self

from blytz.auction.v1.auction_pb2 import AuctionState
from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionResponse
from blytz_client import Blytz
from stack.patience import PATIENCE_S
from stack.replay.evidence import Findings


class FeedRecord:
    """The sequences of one auction's feed, in the order in which they came."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.snapshots = 0
        self.last_sequence: int | None = None
        self.ended = False
        self._epoch = 0

    def note(self, frame: WatchAuctionResponse) -> None:
        """Count what the frame skips or repeats."""
        if frame.HasField("snapshot"):
            self.snapshots += 1
            behind = (
                self.last_sequence is not None
                and frame.position.epoch == self._epoch
                and frame.position.sequence < self.last_sequence
            )
            # A snapshot stands for all before it, so it may jump ahead, never back.
            self.findings.feed_duplicates += behind
            self.last_sequence, self._epoch = frame.position.sequence, frame.position.epoch
            self.ended = frame.snapshot.auction.state == AuctionState.AUCTION_STATE_ENDED
        for update in frame.updates:
            self._note_sequence(update.sequence)
            self.ended |= update.WhichOneof("change") in {"end", "cancellation"}

    def finish(self, last_sequence: int) -> None:
        """Count what is missing at the end of an auction whose last event has this sequence."""
        self.findings.feed_gaps += max(0, last_sequence - (self.last_sequence or 0))

    def _note_sequence(self, sequence: int) -> None:
        if self.last_sequence is None:
            # Updates need something to update.
            self.findings.feed_gaps += 1
        elif sequence <= self.last_sequence:
            self.findings.feed_duplicates += 1
            return
        else:
            self.findings.feed_gaps += sequence - self.last_sequence - 1
        self.last_sequence = sequence


class FeedWitness:
    """Watches one auction from before its first bid to its end; use it in ``async with``."""

    def __init__(self, blytz: Blytz, auction_id: str) -> None:
        self.record = FeedRecord()
        self._feed = blytz.watch_auction(auction_id, give_up_after_s=PATIENCE_S)
        self._moved = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    @property
    def reconnections(self) -> int:
        """How many streams there were after the first."""
        return self._feed.reconnections

    async def __aenter__(self) -> Self:
        """Return when the first frame is there, so that no bid can come before it."""
        self._watching = asyncio.create_task(self._watch())
        await self._until(0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._feed.close()

    async def finish(self, last_sequence: int) -> None:
        """Wait until the feed has shown the auction's last event, and count what is missing."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._until(last_sequence)
        except TimeoutError:
            pass
        self.record.finish(last_sequence)
        # What the client was sent twice it did not show; it is wrong all the same.
        self.record.findings.feed_duplicates += self._feed.updates_repeated

    async def _watch(self) -> None:
        try:
            async for frame in self._feed:
                self.record.note(frame)
                self._moved.set()
                if self.record.ended:
                    return
        finally:
            self._moved.set()

    async def _until(self, sequence: int) -> None:
        """Wait until the feed has come to ``sequence``; raise what ended it before."""
        while self.record.last_sequence is None or self.record.last_sequence < sequence:
            if self._watching is not None and self._watching.done():
                self._watching.result()
                return
            self._moved.clear()
            await self._moved.wait()
