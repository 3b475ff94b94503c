"""The hub of one replica: every auction's feed, every viewer, and what is due each second."""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from svc_realtime.application.auction_feed import AuctionFeed
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.ports import (
    AuctionSource,
    FrameCodec,
    ObserveStaleness,
    Tally,
)
from svc_realtime.application.snapshot_loading import SnapshotLoading
from svc_realtime.application.viewer import Viewer
from svc_realtime.domain.change import Change
from svc_realtime.domain.errors import FeedUnavailable, HubFull
from svc_realtime.domain.position import Position

SWEEP_S = 1.0


class Hub:
    """Fed with changes, watched by viewers. It belongs to the loop on which it was made.

    An auction is followed from its first visible event on, watched or not, so that a viewer who
    comes from another replica resumes from the history here; only watched auctions have snapshots.
    """

    def __init__(
        self,
        *,
        source: AuctionSource,
        codec: FrameCodec,
        limits: HubLimits,
        observe_staleness: ObserveStaleness,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.tally = Tally()
        self._codec = codec
        self._limits = limits
        self._observe_staleness = observe_staleness
        self._wall_clock = wall_clock
        self._loop = asyncio.get_running_loop()
        self._loading = SnapshotLoading(source=source, limits=limits, tally=self.tally)
        self._feeds: OrderedDict[str, AuctionFeed] = OrderedDict()
        self._draining = False

    @property
    def auction_count(self) -> int:
        """How many auctions are followed, watched or not."""
        return len(self._feeds)

    def receive(self, changes: Iterable[Change]) -> None:
        """Take events in, in the order in which their log has them."""
        for change in changes:
            feed = self._feeds.get(change.auction_id)
            if not change.update and (feed is None or not feed.log.started):
                # A draft is nobody's business yet, not even of one who asks for it.
                continue
            if feed is None:
                if not self._make_room():
                    continue
                feed = self._follow(change.auction_id)
            else:
                self._feeds.move_to_end(change.auction_id)
            feed.receive(change)

    def watch(
        self,
        auction_id: str,
        *,
        resume_from: Position | None = None,
        expires_in_s: float | None = None,
        wake: Callable[[], object] | None = None,
    ) -> Viewer:
        """Add a viewer, whose stream ends at the latest in ``expires_in_s`` seconds.

        ``FeedUnavailable`` while this replica drains, ``HubFull`` when it has its bounds' worth;
        other errors come with the viewer's messages.
        """
        if self._draining:
            raise FeedUnavailable(dependency="this replica", retry_after_s=0.1)
        if self.tally.viewers >= self._limits.viewers_max:
            raise HubFull(retry_after_s=1.0)
        feed = self._feeds.get(auction_id)
        if feed is None:
            if not self._make_room():
                raise HubFull(retry_after_s=1.0)
            feed = self._follow(auction_id)
        jitter = self._limits.stream_age_jitter
        spread = random.uniform(1 - jitter, 1 + jitter)  # noqa: S311 - no secret
        age_s = self._limits.stream_age_s * spread
        viewer = Viewer(
            feed=feed,
            codec=self._codec,
            tally=self.tally,
            observe_staleness=self._observe_staleness,
            wall_clock=self._wall_clock,
            position=resume_from,
            ends_at_s=self._loop.time() + min(age_s, expires_in_s or age_s),
            wake=wake,
        )
        feed.join(viewer)
        return viewer

    async def run(self) -> None:
        """Do what is due, each second, forever."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep()

    def sweep(self) -> None:
        """Send heartbeats, end streams that are due, forget what nobody needs."""
        now_s = self._loop.time()
        kept_bytes = 0
        for feed in self._feeds.values():
            feed.sweep(now_s)
            kept_bytes += feed.log.size_bytes
        self._forget(kept_bytes)

    def drain(self) -> None:
        """Hand every viewer a position to resume from elsewhere, and admit no more."""
        self._draining = True
        for feed in self._feeds.values():
            feed.flush()
            for viewer in list(feed.viewers):
                viewer.hand_over()

    async def close(self) -> None:
        """Stop timers and loads."""
        await self._loading.close()
        for feed in self._feeds.values():
            feed.close()

    def _follow(self, auction_id: str) -> AuctionFeed:
        feed = self._feeds[auction_id] = AuctionFeed(
            auction_id=auction_id,
            limits=self._limits,
            codec=self._codec,
            tally=self.tally,
            loop=self._loop,
            request_snapshot=self._loading.request,
        )
        return feed

    def _make_room(self) -> bool:
        """Make sure that one more auction can be followed; False if all that are, are watched."""
        if len(self._feeds) < self._limits.auctions_max:
            return True
        for auction_id, feed in self._feeds.items():
            if not feed.viewers:
                feed.close()
                del self._feeds[auction_id]
                return True
        return False

    def _forget(self, kept_bytes: int) -> None:
        """Forget unknown auctions, and the longest silent ones until the rest is within bounds."""
        for auction_id, feed in list(self._feeds.items()):
            if feed.viewers:
                continue
            if not feed.log.started or kept_bytes > self._limits.histories_bytes_max:
                kept_bytes -= feed.log.size_bytes
                feed.close()
                del self._feeds[auction_id]
