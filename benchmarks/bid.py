"""What a bid costs: PlaceBid against an empty call on the same server, and the engine alone.

    python -m benchmarks.bid [--json] [--seconds 3] [--repeats 5]

The whole mesh runs in a folder of its own, durably. The empty call is the server's own health
check; PlaceBid is checked against its contract, funded, committed and published. Variants take
turns; figures are medians, with their range in the table.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.bid_engine import bids_per_s, fill, lane_of, lock_per_bid, open_floor
from benchmarks.bid_load import MAXIMUM_STEP, Load, Outcome
from benchmarks.mesh import BenchmarkMesh, running_mesh
from kernel.ids import new_id
from servicekit.postgres import Database

AUCTIONS = (1, 100, 10_000)
BIDDERS = 500
CLIENTS = 2
WAITING_EACH = 128
HALF_LOAD_AUCTIONS = 100

Samples = dict[str, list[float]]


async def engine_samples(mesh: BenchmarkMesh, *, seconds: float, repeats: int) -> Samples:
    """Measure the lane and the lock-per-bid design in turn; bids a second."""
    samples: Samples = defaultdict(list)
    url = mesh.fresh_database("svc_auction")
    for _ in range(repeats):
        for auctions in AUCTIONS:
            async with open_floor(url, auctions=auctions) as floor:
                lane = await bids_per_s(lane_of(floor), floor, seconds=seconds)
                lock = await bids_per_s(lock_per_bid(floor), floor, seconds=seconds)
                samples[f"engine {auctions}"].append(lane)
                samples[f"lock {auctions}"].append(lock)
    return samples


class RpcBench:
    """Calls to svc_auction's own port, from client processes."""

    def __init__(self, mesh: BenchmarkMesh) -> None:
        self._mesh = mesh
        self._rounds = 0
        self._bidder_ids = [new_id() for _ in range(BIDDERS)]
        self._tokens = mesh.tokens_of(self._bidder_ids)
        self._auction_ids: dict[int, list[str]] = {
            count: [new_id() for _ in range(count)] for count in AUCTIONS
        }

    async def prepare(self) -> None:
        """Fill the service's database with live auctions and funded bidders."""
        url = self._mesh.postgres_url("auction")
        every_id = [i for ids in self._auction_ids.values() for i in ids]
        async with Database.open(url) as database, database.transaction() as connection:
            await fill(connection, every_id, self._bidder_ids)

    async def calls_per_s(self, method: str, *, auctions: int, seconds: float) -> float:
        """Return how many calls a second the clients got through together."""
        outcomes = await self._run(method, auctions=auctions, seconds=seconds, rate_per_s=None)
        return sum(outcome.calls / outcome.seconds for outcome in outcomes)

    async def latencies_ms(self, *, rate_per_s: float, seconds: float) -> list[float]:
        """Return the latencies of bids that start at a fixed rate."""
        outcomes = await self._run(
            "bid", auctions=HALF_LOAD_AUCTIONS, seconds=seconds, rate_per_s=rate_per_s / CLIENTS
        )
        return [latency_ms for outcome in outcomes for latency_ms in outcome.latencies_ms]

    async def _run(
        self, method: str, *, auctions: int, seconds: float, rate_per_s: float | None
    ) -> Sequence[Outcome]:
        self._rounds += 1
        loads = [
            Load(
                method=method,
                address=self._mesh.grpc_address("auction"),
                tls_dir=str(self._mesh.tls_dir / "edge"),
                auction_ids=self._auction_ids[auctions][client::CLIENTS]
                or self._auction_ids[auctions],
                tokens=self._tokens[client::CLIENTS],
                first_maximum_minor=self._rounds * MAXIMUM_STEP,
                waiting=WAITING_EACH,
                seconds=seconds,
                rate_per_s=rate_per_s,
            )
            for client in range(CLIENTS)
        ]
        return await asyncio.gather(*(_client(load) for load in loads))


async def _client(load: Load) -> Outcome:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.bid_load",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps(asdict(load)).encode())
    if process.returncode:
        sys.exit("a client failed; its error stands above")
    return Outcome(**json.loads(output))


async def measure(*, seconds: float, repeats: int) -> tuple[dict[str, Any], Samples]:
    """Run everything once; return the figures, and the samples behind them."""
    with tempfile.TemporaryDirectory(prefix="blytz-bench-") as folder:
        async with running_mesh(Path(folder)) as mesh:
            bench = RpcBench(mesh)
            await bench.prepare()
            samples: Samples = defaultdict(list)
            for _ in range(repeats):
                samples["echo"].append(await bench.calls_per_s("echo", auctions=1, seconds=seconds))
                for auctions in AUCTIONS:
                    samples[f"bid {auctions}"].append(
                        await bench.calls_per_s("bid", auctions=auctions, seconds=seconds)
                    )
            half_per_s = statistics.median(samples[f"bid {HALF_LOAD_AUCTIONS}"]) / 2
            latencies_ms = await bench.latencies_ms(
                rate_per_s=half_per_s, seconds=seconds * repeats
            )
            samples |= await engine_samples(mesh, seconds=seconds, repeats=repeats)
    percentiles = statistics.quantiles(latencies_ms, n=100)
    return {
        "echo_per_s": _median(samples["echo"]),
        "bid_per_s": {str(n): _median(samples[f"bid {n}"]) for n in AUCTIONS},
        "engine_per_s": {str(n): _median(samples[f"engine {n}"]) for n in AUCTIONS},
        "lock_engine_per_s": {str(n): _median(samples[f"lock {n}"]) for n in AUCTIONS},
        "half_load_ms": {
            name: round(percentiles[rank - 1], 2)
            for name, rank in (("p50", 50), ("p95", 95), ("p99", 99))
        },
    }, samples


def _median(samples: Sequence[float]) -> float:
    return round(statistics.median(samples), 1)


def print_table(figures: dict[str, Any], samples: Samples) -> None:
    """Print every figure with its range, and the ratios that count."""
    echo = statistics.median(samples["echo"])
    for name, values in samples.items():
        print(
            f"{name:14} {statistics.median(values):9.0f}/s  {min(values):7.0f} … {max(values):7.0f}"
        )
    print()
    for auctions in AUCTIONS:
        bid = statistics.median(samples[f"bid {auctions}"])
        lane = statistics.median(samples[f"engine {auctions}"])
        lock = statistics.median(samples[f"lock {auctions}"])
        print(
            f"{auctions:6} auctions: a bid runs at {bid / echo:4.0%} of an empty call,"
            f" the lane at {lane / lock:5.1f} times a lock per bid"
        )
    print(f"latency at half load: {figures['half_load_ms']} ms")


def main() -> None:
    """Measure, and print a table or one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bid", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    figures, samples = uvloop.run(measure(seconds=arguments.seconds, repeats=arguments.repeats))
    if arguments.json:
        print(json.dumps(figures))
    else:
        print_table(figures, samples)


if __name__ == "__main__":
    main()
