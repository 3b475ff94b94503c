"""The bid lane: all bids of a shard that waited during the last commit go into the next one.

Under load a transaction carries hundreds of bids and costs about as much as one; when idle a bid is
committed at once. Books are locked before bidding power, both in id order, so that the lanes of
several replicas never deadlock. A bid is answered only after its commit.
"""

import asyncio
import contextvars
from collections.abc import Iterable, Sequence

from prometheus_client import Counter, Histogram
from psycopg import errors as postgres_errors

from kernel.errors import BlytzError, Overloaded
from servicekit.telemetry import current_traceparent, is_sampled
from svc_auction.application.decide_bids import decide_bids
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.postgres_bids import PostgresBids
from svc_auction.infrastructure.shards import Shard, Shards

BATCH_MAX = 1_000
WAITING_MAX = 20_000
ATTEMPTS_MAX = 5
ARRIVING_S_MAX = 0.02
QUIET_TURNS = 8

_batch_bids = Histogram(
    "blytz_auction_lane_batch_bids",
    "Bids decided in one transaction.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000),
)
_bids = Counter("blytz_auction_bids_total", "Bids decided, by verdict.", ["verdict"])
_RETRYABLE = (
    postgres_errors.DeadlockDetected,
    postgres_errors.SerializationFailure,
    postgres_errors.UniqueViolation,
)

Waiting = tuple[Bid, "asyncio.Future[PlacedBid]"]


class BidLane:
    """The lane of one shard in this process; several replicas may each run one."""

    def __init__(self, *, shard: Shard, aliases: Aliases) -> None:
        self._shard = shard
        self._bids = PostgresBids(aliases=aliases)
        self._waiting: list[Waiting] = []
        self._running: asyncio.Task[None] | None = None
        self._traces: dict[tuple[str, str], str] = {}

    async def place(self, bid: Bid) -> PlacedBid:
        """Return the bid once it is committed, or raise why it is refused."""
        if len(self._waiting) >= WAITING_MAX:
            raise Overloaded(retry_after_s=0.5)
        verdict: asyncio.Future[PlacedBid] = asyncio.get_running_loop().create_future()
        self._waiting.append((bid, verdict))
        if is_sampled(traceparent := current_traceparent.get()):
            self._traces[bid.bidder_id, bid.request_id] = traceparent
        if self._running is None:
            # The lane serves everybody: it runs in no caller's context.
            self._running = asyncio.create_task(
                self._run(), name=f"lane-{self._shard.number}", context=contextvars.Context()
            )
        return await verdict

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                # Whoever has hung up meanwhile must not be bid for.
                batch = [waiting for waiting in batch if not waiting[1].done()]
                if batch:
                    await self._settle(batch)
                    await self._let_arrive()
        finally:
            self._running = None

    async def _let_arrive(self) -> None:
        """Turn the loop until a few turns bring no new bid, so that what is on its way comes along.

        A transaction of its own costs as much as ten bids. Idle turns cost microseconds; under load
        they bring in what the process has received and not yet read.
        """
        clock = asyncio.get_running_loop().time
        give_up_at_s = clock() + ARRIVING_S_MAX
        quiet_turns = 0
        while quiet_turns < QUIET_TURNS and clock() < give_up_at_s:
            count = len(self._waiting)
            await asyncio.sleep(0)
            quiet_turns = quiet_turns + 1 if len(self._waiting) == count else 0

    async def _settle(self, batch: Sequence[Waiting]) -> None:
        """Commit a batch and hand each caller its own verdict."""
        try:
            verdicts: Iterable[PlacedBid | BaseException] = await self._commit(
                [bid for bid, _ in batch]
            )
        except BaseException as fault:
            for _, verdict in batch:
                if not verdict.done():
                    verdict.set_exception(fault if isinstance(fault, Exception) else Overloaded())
            if not isinstance(fault, Exception):
                raise
            return
        finally:
            for bid, _ in batch if self._traces else ():
                self._traces.pop((bid.bidder_id, bid.request_id), None)
        for (_, verdict), decided in zip(batch, verdicts, strict=True):
            if verdict.done():
                continue
            if isinstance(decided, BaseException):
                verdict.set_exception(decided)
            else:
                verdict.set_result(decided)

    async def _commit(self, bids: Sequence[Bid]) -> Sequence[PlacedBid | BlytzError]:
        """Decide and commit a batch; a collision with another replica starts it over."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                async with self._shard.transaction() as connection:
                    decisions = decide_bids(bids, await self._bids.lock(connection, bids))
                    if decisions.placed:
                        await self._bids.write(connection, decisions, self._traces)
            except _RETRYABLE:
                if attempt == ATTEMPTS_MAX:
                    raise
            else:
                break
        if decisions.placed:
            self._shard.relay.wake()
            for book in decisions.books_changed.values():
                self._shard.announcements.note(book.auction_id, (book.epoch, book.sequence))
        _batch_bids.observe(len(bids))
        _bids.labels("accepted").inc(len(decisions.placed))
        _bids.labels("other").inc(len(bids) - len(decisions.placed))
        return decisions.verdicts


class ShardLanes:
    """The lanes of all shards: a bid goes to the one that keeps its auction."""

    def __init__(self, *, shards: Shards, aliases: Aliases) -> None:
        self._shards = shards
        self._lanes = {s.number: BidLane(shard=s, aliases=aliases) for s in shards}

    async def place(self, bid: Bid) -> PlacedBid:
        """Commit a bid on its auction's shard, or raise why it is refused."""
        return await self._lanes[self._shards.of(bid.auction_id).number].place(bid)
