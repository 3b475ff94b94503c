"""What a viewer costs: svc_realtime's feed against a grpcio server that yields every event.

One auction, many viewers, on one core of the server's own. The rungs:

- *plain, saturated*: a grpcio server with a queue a viewer and a message for each event and viewer,
  fed as fast as it can send; its latency is measured at a rate that it can bear.
- *hub, N bids/s*: svc_realtime's hub behind its real handler, fed with event records at that rate.
- *hub, N bids/s through Kafka*: the same from the broker's log, where ``--kafka`` names a broker.

A delivery is one event for one viewer; an event that a viewer who fell behind got as part of a
snapshot instead does not count. Deliveries are counted by the server; the viewers verify them, byte
by byte for all and sequence by sequence for some, and their latency runs from the event's commit to
its arrival. The server's CPU is its own process time; its memory is what it grew by while viewers
came and a run went. Each figure is the median of the repeats, with their range.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from benchmarks.feed_events import FIRST, bid_placed
from svc_realtime.infrastructure.event_log import TOPIC

ROOT = Path(__file__).resolve().parents[1]
LINE_BYTES_MAX = 1 << 26


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder; ``rate_per_s`` is that of the open loop."""

    name: str
    kind: str
    rate_per_s: int


@dataclass(slots=True)
class Figures:
    """A rung's results, one of each a repeat."""

    deliveries_per_cpu_s: list[float] = field(default_factory=list)
    p95_ms: list[float] = field(default_factory=list)
    kb_per_viewer: list[float] = field(default_factory=list)


class Helper:
    """A process that answers each JSON line with one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def started(cls, module: str, *arguments: object, core: int) -> AsyncIterator["Helper"]:
        """Run a module of this folder on one core."""
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        if sys.platform == "linux" and (os.cpu_count() or 1) > 1:
            command = ["taskset", "-c", str(core), *command]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "gen/python")))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=LINE_BYTES_MAX,
        )
        try:
            yield cls(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def answer(self) -> dict[str, Any]:
        """Return the next line."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the benchmark has ended; see its output above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def ask(self, **question: object) -> dict[str, Any]:
        """Send a line and return the answer."""
        self.tell(**question)
        return await self.answer()

    def tell(self, **question: object) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")


async def measure(rung: Rung, options: argparse.Namespace, figures: Figures) -> None:
    """Run a rung once, with processes of its own."""
    kafka = [options.kafka] if rung.kind == "kafka" else []
    cores = (0, (os.cpu_count() or 1) - 1)
    async with Helper.started("feed_server", rung.kind, *kafka, core=cores[0]) as server:
        listening = await server.answer()
        empty_bytes = (await server.ask(do="memory"))["bytes"]
        crowd = (options.viewers, options.connections, options.probes)
        async with Helper.started(
            "feed_viewers", listening["address"], listening["auction_id"], *crowd, core=cores[1]
        ) as viewers:
            await viewers.answer()
            await server.ask(do="viewers", count=options.viewers)
            run = _Run(server, viewers, listening["auction_id"], options)
            await run.open(rung, seconds=options.warm_up_seconds)
            steady, latencies_ms = await run.open(rung, seconds=options.seconds)
            if rung.kind == "plain":
                steady = await run.closed(seconds=options.seconds)
            full_bytes = (await server.ask(do="memory"))["bytes"]
    figures.deliveries_per_cpu_s.append(steady["deliveries"] / steady["cpu_s"])
    figures.p95_ms.append(latencies_ms[int(0.95 * (len(latencies_ms) - 1))])
    figures.kb_per_viewer.append((full_bytes - empty_bytes) / 1024 / options.viewers)


class _Run:
    """Feeds one server's auction, part by part, and has each part verified."""

    def __init__(
        self, server: Helper, viewers: Helper, auction_id: str, options: argparse.Namespace
    ) -> None:
        self._server = server
        self._viewers = viewers
        self._auction_id = auction_id
        self._options = options
        self._sequence = FIRST.sequence

    async def open(self, rung: Rung, *, seconds: float) -> tuple[dict[str, Any], list[float]]:
        """Feed at the rung's rate; return the server's account and the latencies."""
        first, count = self._sequence + 1, max(1, int(rung.rate_per_s * seconds))
        if rung.kind == "kafka":
            self._server.tell(do="await", first=first, count=count)
            await self._publish(first, count, rung.rate_per_s)
            account = await self._server.answer()
        else:
            account = await self._server.ask(
                do="open", first=first, count=count, rate_per_s=rung.rate_per_s
            )
        return account, await self._verified(account)

    async def closed(self, *, seconds: float) -> dict[str, Any]:
        """Feed as fast as the server sends; return its account."""
        account = await self._server.ask(do="closed", first=self._sequence + 1, seconds=seconds)
        await self._verified(account)
        return account

    async def _verified(self, account: dict[str, Any]) -> list[float]:
        self._sequence += account["events"]
        seen = await self._viewers.ask(sent_bytes=account["sent_bytes"], sequence=self._sequence)
        latencies_ms: list[float] = seen["latencies_ms"]
        return latencies_ms

    async def _publish(self, first: int, count: int, rate_per_s: float) -> None:
        producer = Producer({"bootstrap.servers": self._options.kafka, "linger.ms": 0})
        started_s = time.perf_counter()
        for number in range(count):
            delay_s = started_s + number / rate_per_s - time.perf_counter()
            if delay_s > 0:
                await asyncio.sleep(delay_s)
            event = bid_placed(first + number, auction_id=self._auction_id)
            producer.produce(TOPIC, key=event.aggregate_id, value=event.SerializeToString())
            producer.poll(0)
        await asyncio.to_thread(producer.flush, 10)


def ladder(options: argparse.Namespace) -> list[Rung]:
    """Return the rungs, the plain server first."""
    rungs = [Rung("plain, saturated", "plain", options.plain_rate)]
    rungs += [Rung(f"hub, {rate:,} bids/s", "hub", rate) for rate in options.rates]
    if options.kafka:
        busiest = max(options.rates)
        rungs.append(Rung(f"hub, {busiest:,} bids/s through Kafka", "kafka", busiest))
    return rungs


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--viewers", type=int, default=1_000)
    parser.add_argument("--connections", type=int, default=8, help="of the viewers that count")
    parser.add_argument("--probes", type=int, default=20, help="viewers that look closely")
    parser.add_argument("--rates", type=int, nargs="+", default=[10, 100, 1_000], help="bids/s")
    parser.add_argument("--plain-rate", type=int, default=10, help="for the plain one's latency")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each part of a run")
    parser.add_argument("--warm-up-seconds", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--kafka", default="", help="the bootstrap address of a broker")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


async def climb(options: argparse.Namespace) -> dict[Rung, Figures]:
    """Measure every rung, interleaved, so that a slow minute of the machine meets them all."""
    results = {rung: Figures() for rung in ladder(options)}
    for repeat in range(options.repeats):
        for rung, figures in results.items():
            print(f"{repeat + 1}/{options.repeats} {rung.name}", file=sys.stderr, flush=True)
            await measure(rung, options, figures)
    return results


def report(results: dict[Rung, Figures], viewers: int) -> dict[str, Any]:
    """Return the medians."""
    return {
        "rungs": [
            {
                "name": rung.name,
                "viewers": viewers,
                "deliveries_per_cpu_s": round(statistics.median(figures.deliveries_per_cpu_s)),
                "p95_ms": round(statistics.median(figures.p95_ms), 1),
                "kb_per_viewer": round(statistics.median(figures.kb_per_viewer), 1),
            }
            for rung, figures in results.items()
        ]
    }


def print_table(results: dict[Rung, Figures], viewers: int) -> None:
    """Print medians, ranges, and the ratio to the first rung."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - git is where it is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    print(f"{viewers:,} viewers, commit {commit or 'unknown'}")
    print(f"{'':34} {'deliveries/CPU-s':>34} {'ratio':>7} {'p95 ms':>20} {'KB/viewer':>10}")
    first = statistics.median(next(iter(results.values())).deliveries_per_cpu_s)
    for rung, figures in results.items():
        per_cpu_s, p95_ms = figures.deliveries_per_cpu_s, figures.p95_ms
        median = statistics.median(per_cpu_s)
        throughput = f"{median:,.0f} ({min(per_cpu_s):,.0f} to {max(per_cpu_s):,.0f})"
        latency = f"{statistics.median(p95_ms):.1f} ({min(p95_ms):.1f} to {max(p95_ms):.1f})"
        memory = f"{statistics.median(figures.kb_per_viewer):.1f}"
        ratio = f"{median / first:.1f}x"
        print(f"{rung.name:34} {throughput:>34} {ratio:>7} {latency:>20} {memory:>10}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parse(arguments)
    results = asyncio.run(climb(options))
    if options.json:
        print(json.dumps(report(results, options.viewers)))
    else:
        print_table(results, options.viewers)


if __name__ == "__main__":
    main()
