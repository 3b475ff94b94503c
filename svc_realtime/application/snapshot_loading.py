"""How a feed comes by its snapshot: one load at a time, however many viewers wait for it."""

import asyncio
import contextvars
import logging
from itertools import count

from kernel.errors import BlytzError, ErrorKind
from svc_realtime.application.auction_feed import AuctionFeed
from svc_realtime.application.limits import HubLimits
from svc_realtime.application.ports import AuctionSource, Tally
from svc_realtime.domain.auction_log import Fit
from svc_realtime.domain.change import Snapshot
from svc_realtime.domain.errors import FeedUnavailable

RETRY_S_MIN = 0.05
RETRY_S_MAX = 2.0
PATIENCE_ATTEMPTS = 4
"""After so many snapshots that do not fit, newcomers are told to come back later."""
CATCH_UP_POLL_S = 0.005

log = logging.getLogger(__name__)


class SnapshotLoading:
    """The position comes before the snapshot: a feed takes changes in before its load begins.

    Whatever is committed after the load's reading therefore comes by the log, and what comes by
    both is dropped by its number.
    """

    def __init__(self, *, source: AuctionSource, limits: HubLimits, tally: Tally) -> None:
        self._source = source
        self._limits = limits
        self._tally = tally
        self._running: dict[str, asyncio.Task[None]] = {}

    def request(self, feed: AuctionFeed) -> None:
        """Start a load for the viewers who wait, unless one is under way."""
        running = self._running.get(feed.auction_id)
        if running is not None and not running.done():
            return
        task = asyncio.get_running_loop().create_task(
            self._load_until_none_waits(feed),
            name=f"load {feed.auction_id}",
            # The load serves everyone who waits: it must not run on one caller's deadline or trace.
            context=contextvars.Context(),
        )
        self._running[feed.auction_id] = task
        task.add_done_callback(lambda ended: self._forget(feed.auction_id, ended))

    async def close(self) -> None:
        """Cancel what is under way."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, auction_id: str, ended: asyncio.Task[None]) -> None:
        if self._running.get(auction_id) is ended:
            del self._running[auction_id]

    async def _load_until_none_waits(self, feed: AuctionFeed) -> None:
        retry_s = RETRY_S_MIN
        for attempt in count(1):
            self._tally.loads += 1
            snapshot = await self._load(feed)
            if snapshot is not None and await self._adopt(feed, snapshot, attempt):
                return
            if attempt >= PATIENCE_ATTEMPTS:
                feed.fail(_away("a snapshot that is recent enough"), newcomers_only=True)
            if not feed.waiting():
                return
            await asyncio.sleep(retry_s)
            retry_s = min(RETRY_S_MAX, retry_s * 2)

    async def _load(self, feed: AuctionFeed) -> Snapshot | None:
        """Return a snapshot, or None; who should not wait for the next attempt is told so."""
        try:
            return await self._source.load(feed.auction_id)
        except BlytzError as error:
            self._tally.load_failures += 1
            feed.fail(error, newcomers_only=error.kind is not ErrorKind.NOT_FOUND)
        except Exception:
            log.exception("Loading auction %s failed.", feed.auction_id)
            self._tally.load_failures += 1
            feed.fail(_away("the auction service"), newcomers_only=True)
        return None

    async def _adopt(self, feed: AuctionFeed, snapshot: Snapshot, attempt: int) -> bool:
        """Give the snapshot to the feed; False if it is too old to be of use."""
        if attempt < PATIENCE_ATTEMPTS and any(
            viewer.position is not None
            and viewer.position.epoch == snapshot.position.epoch
            and viewer.position > snapshot.position
            for viewer in feed.waiting()
        ):
            return False
        if feed.log.started and feed.log.fit(snapshot) is Fit.AHEAD:
            await self._let_log_catch_up(feed, snapshot)
        if feed.log.fit(snapshot) is Fit.STALE:
            return False
        feed.adopt(snapshot)
        return True

    async def _let_log_catch_up(self, feed: AuctionFeed, snapshot: Snapshot) -> None:
        """Wait for the events that the snapshot includes already, so that the history stays whole.

        If they do not come in time, the feed starts over from the snapshot.
        """
        deadline_s = asyncio.get_running_loop().time() + self._limits.catch_up_s
        while feed.log.fit(snapshot) is Fit.AHEAD:
            if asyncio.get_running_loop().time() > deadline_s:
                return
            await asyncio.sleep(CATCH_UP_POLL_S)


def _away(dependency: str) -> FeedUnavailable:
    return FeedUnavailable(dependency=dependency, retry_after_s=1.0)
