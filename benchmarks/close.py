"""How late auctions end and start when many are due, and what open auctions cost in memory.

    python -m benchmarks.close [--json] [--auctions 10000] [--seconds 60] [--open 100000]

Two replicas of svc_auction on a durable Postgres; ends, then starts, are spread at random over the
seconds, while others' auctions take bids. Half of the ending auctions have a bid with its hold,
half have watchers, and each has a notice of its near end due in the same minute. Lateness counts
from the moment that was announced to the moment that was decided, and to Kafka's acknowledgement.
The baseline is what is drawn everywhere: a job that looks each second and ends what it finds in a
transaction each.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
import uvloop

from benchmarks.close_floor import (
    CloseFloor,
    Due,
    Happened,
    bid_on_each,
    fill,
    happened,
    keep_bidding,
    lane_on,
    plan,
    shard_at,
)
from stack.memory import memory_bytes_of
from svc_auction.domain.book import State
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import Shard, Shards

AIM_MS = 250.0
REPLICAS = 2
OTHER_AUCTIONS = 200
BIDS_PER_S = 100.0
FIRST_AFTER_S = 2.0
GIVE_UP_AFTER_S = 60.0
SETTLE_S = 2.0
LOOKS = 20


async def lateness(
    floor: CloseFloor, due: Due, *, auctions: int, seconds: float, replicas: int
) -> Happened:
    """Let auctions end or start by replicas, or by the baseline if there are none."""
    url = await floor.fresh_database()
    async with shard_at(url) as shard:
        auction_ids, bidder_ids = await fill(shard, due, auctions)
        other_ids, _ = await fill(shard, "close", OTHER_AUCTIONS)
        lane = lane_on(shard)
        if due == "close":
            await bid_on_each(lane, auction_ids[::2], bidder_ids)
        async with floor.replicas(url, replicas):
            planned = await plan(shard, due, auction_ids, after_s=FIRST_AFTER_S, seconds=seconds)
            tasks = [
                asyncio.create_task(keep_bidding(lane, other_ids, bidder_ids, per_s=BIDS_PER_S))
            ]
            if not replicas:
                tasks.append(asyncio.create_task(poll_each_second(shard)))
            try:
                await _all_done(shard, due, planned, tasks, published=bool(replicas))
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        return await happened(shard, due, planned)


async def _all_done(
    shard: Shard,
    due: Due,
    planned: dict[str, datetime],
    tasks: Sequence["asyncio.Task[None]"],
    *,
    published: bool,
) -> None:
    """Wait until the last has changed; give up a minute after it was due."""
    last_at = max(planned.values())
    wait_s = (last_at - datetime.now(last_at.tzinfo)).total_seconds()
    await asyncio.wait(tasks, timeout=wait_s, return_when="FIRST_COMPLETED")
    give_up_at_s = time.monotonic() + GIVE_UP_AFTER_S
    while time.monotonic() < give_up_at_s:
        for task in tasks:
            if task.done():
                task.result()
        done = await happened(shard, due, planned)
        seen = done.published_ms if published else done.decided_ms
        if len(seen) >= len(planned):
            return
        await asyncio.sleep(SETTLE_S)


async def poll_each_second(shard: Shard) -> None:
    """End what is due: the baseline. It looks each second; a transaction an auction."""
    auctions = PostgresAuctions(
        shards=Shards({shard.number: shard}, open_numbers=frozenset({shard.number})),
        aliases=Aliases("benchmark"),
    )
    while True:
        async with shard.statements() as connection:
            found = await connection.execute(
                "select auction_id from books where state = 3 and ends_at <= now() order by ends_at"
            )
            due_ids = [row[0] for row in await found.fetchall()]
        for auction_id in due_ids:
            async with auctions.change(auction_id) as change:
                if change.auction.book.state is State.LIVE:
                    change.record(change.auction.close(now=change.now))
        await asyncio.sleep(1.0)


async def memory(floor: CloseFloor, *, auctions: int) -> dict[str, float]:
    """Compare a replica's memory with open auctions and without; time the first look at them."""
    empty_bytes = await _replica_bytes(floor, await floor.fresh_database())
    url = await floor.fresh_database()
    async with shard_at(url) as shard:
        auction_ids, bidder_ids = await fill(shard, "close", auctions)
        looks_ms = await _looks_ms(shard)
        full_bytes = await _replica_bytes(floor, url)
        before_bytes = memory_bytes_of(os.getpid())
        lane = lane_on(shard)
        await bid_on_each(lane, auction_ids, bidder_ids)
        bid_on_bytes = memory_bytes_of(os.getpid()) - before_bytes
    return {
        "open_auctions": auctions,
        "replica_mb": round(full_bytes / 1e6, 1),
        "bytes_per_open_auction": round((full_bytes - empty_bytes) / auctions, 1),
        "bytes_per_auction_bid_on": round(bid_on_bytes / auctions, 1),
        "first_look_ms": round(looks_ms[0], 2),
        "look_ms": round(statistics.median(looks_ms[1:]), 2),
    }


async def _replica_bytes(floor: CloseFloor, url: str) -> float:
    """Return what a replica takes once it has served for a while."""
    async with floor.replicas(url, 1) as (replica,):
        await asyncio.sleep(SETTLE_S)
        return float(memory_bytes_of(replica.pid))


async def _looks_ms(shard: Shard) -> list[float]:
    """Time looks for what is next; the first connects and meets cold pages' plans."""
    auctions = PostgresAuctions(
        shards=Shards({shard.number: shard}, open_numbers=frozenset({shard.number})),
        aliases=Aliases("benchmark"),
    )
    looks_ms = []
    for _ in range(LOOKS):
        started_s = time.perf_counter()
        await auctions.seconds_to_next(shard)
        looks_ms.append((time.perf_counter() - started_s) * 1_000)
    return looks_ms


def summary(samples: Sequence[float]) -> dict[str, float]:
    """Return the percentiles of latenesses."""
    cuts = statistics.quantiles(samples, n=100, method="inclusive")
    return {
        "p50": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "p99": round(cuts[98], 1),
        "max": round(max(samples), 1),
    }


async def measure(*, auctions: int, seconds: float, opened: int) -> dict[str, Any]:
    """Run everything once."""
    figures: dict[str, Any] = {"auctions": auctions, "seconds": seconds, "aim_p99_ms": AIM_MS}
    with tempfile.TemporaryDirectory(prefix="blytz-bench-") as folder_name:
        folder = Path(folder_name)
        async with CloseFloor.open(folder) as floor:
            runs: list[tuple[str, Due, int]] = [
                ("close", "close", REPLICAS),
                ("start", "start", REPLICAS),
                ("baseline", "close", 0),
            ]
            for name, due, replicas in runs:
                done = await lateness(
                    floor, due, auctions=auctions, seconds=seconds, replicas=replicas
                )
                figures[f"{name}_ms"] = summary(done.decided_ms)
                figures[f"{name}_not_once"] = done.wrong
                if replicas:
                    figures[f"{name}_published_ms"] = summary(done.published_ms)
            figures["memory"] = await memory(floor, auctions=opened)
    figures["load_average"] = round(os.getloadavg()[0], 2)
    return figures


def print_table(figures: dict[str, Any]) -> None:
    """Print every figure, and the ratios that count."""
    print(f"{figures['auctions']} due over {figures['seconds']:.0f} s, {REPLICAS} replicas\n")
    for name in ("close", "close_published", "start", "start_published", "baseline"):
        row = "  ".join(f"{key} {value:8.1f}" for key, value in figures[f"{name}_ms"].items())
        print(f"{name:16} {row}  ms late")
    print()
    for name in ("close", "start", "baseline"):
        print(
            f"{name:9} p99 at {figures[f'{name}_ms']['p99'] / AIM_MS:5.2f} of the aim,"
            f" {figures[f'{name}_not_once']} not exactly once"
        )
    for key, value in figures["memory"].items():
        print(f"{key.replace('_', ' '):24} {value:12,.1f}")
    print(f"load average {figures['load_average']}")


def main() -> None:
    """Measure, and print a table or one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.close", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--auctions", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--open", type=int, default=100_000)
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with suppress(KeyboardInterrupt):
        figures = uvloop.run(
            measure(auctions=arguments.auctions, seconds=arguments.seconds, opened=arguments.open)
        )
        if arguments.json:
            print(json.dumps(figures))
        else:
            print_table(figures)


if __name__ == "__main__":
    main()
