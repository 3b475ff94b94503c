"""What the relay carries: events a second from the outbox to Kafka, its cost, and its latency.

    python -m benchmarks.relay [--json] [--events 100000] [--repeats 5]

A real Postgres, durable, and the embedded broker; the relay has a process of its own. Latency is
from the commit to a consumer of Kafka, for single events, once with the relay woken and once with
it polling because another replica wrote. Figures are medians, with their range in the table.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvloop
from confluent_kafka import Consumer, TopicPartition

from kernel.ids import new_id
from servicekit.events import schema
from servicekit.events.lease import Lease
from servicekit.events.outbox import OutboxEvent, append
from servicekit.events.relay import Relay
from servicekit.postgres import Database
from stack.part import running
from stack.parts.kafka import TOPICS, Kafka
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from stack.secret import Secret

TOPIC = TOPICS[0]
KEYS = 100
PAYLOAD_BYTES = 200
BATCH = 1000
SINGLE_EVENTS = 100

Samples = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class World:
    """A database with an outbox, and a broker."""

    database: Database
    bootstrap: str


@contextlib.asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """Start the parts in a folder that goes with them."""
    with tempfile.TemporaryDirectory() as folder_name, PortReservations() as ports:
        folder = Path(folder_name)
        (folder / "postgres").mkdir()
        postgres = Postgres(
            folder=folder / "postgres",
            port=ports.take(),
            secret=Secret.load(folder / "secret"),
        )
        kafka = Kafka(port=ports.take())
        async with running(postgres, log_folder=folder), running(kafka, log_folder=folder):
            url = await asyncio.to_thread(postgres.create_database, "relay")
            async with Database.open(url) as database:
                async with database.transaction() as connection:
                    await connection.execute(schema.outbox_sql().encode())
                yield World(database, kafka.bootstrap)


async def write(world: World, count: int) -> None:
    """Commit events, a thousand a transaction."""
    payload = b"x" * PAYLOAD_BYTES
    for first in range(0, count, BATCH):
        events = [OutboxEvent(TOPIC, str(i % KEYS), payload) for i in range(first, first + BATCH)]
        async with world.database.transaction() as connection:
            await append(connection, events)


async def unsent_count(world: World) -> int:
    """Return how many events wait."""
    async with world.database.read() as connection:
        cursor = await connection.execute("select count(*) from outbox where kafka_offset is null")
        row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


@contextlib.asynccontextmanager
async def relaying(world: World) -> AsyncIterator[Relay]:
    """Run a relay; it is at work when the block begins."""
    relay = Relay(database=world.database, kafka_bootstrap=world.bootstrap, name="benchmark")
    task = asyncio.create_task(relay.run())
    await write(world, BATCH)
    while await unsent_count(world):  # noqa: ASYNC110 - it is the database we wait for
        await asyncio.sleep(0.05)
    try:
        yield relay
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def measure_drain(world: World, samples: Samples, *, events: int) -> None:
    """Write a backlog while the relay works, and see how long it takes to send all of it."""
    async with relaying(world) as relay:
        started_s, cpu_started_s = time.perf_counter(), time.process_time()
        writing = asyncio.create_task(write(world, events))
        while not writing.done() or await unsent_count(world):
            relay.wake()
            await asyncio.sleep(0.02)
        samples["events_per_s"].append(events / (time.perf_counter() - started_s))
        samples["cpu_us_per_event"].append((time.process_time() - cpu_started_s) / events * 1e6)


async def measure_latency(world: World, samples: Samples) -> None:
    """Send single events, and see when a consumer has each."""
    consumer = Consumer(
        {"bootstrap.servers": world.bootstrap, "group.id": new_id(), "fetch.wait.max.ms": 20}
    )
    partitions = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, partition, -1) for partition in partitions])
    async with relaying(world) as relay:
        for woken in (True, False):
            if not woken:
                # Another replica lives, so that the relay polls for its events.
                await Lease(database=world.database).acquire()
                await asyncio.sleep(1.5)
            latencies_ms = []
            for _ in range(SINGLE_EVENTS):
                marker = new_id().encode()
                async with world.database.transaction() as connection:
                    await append(connection, [OutboxEvent(TOPIC, "key", marker)])
                committed_s = time.perf_counter()
                if woken:
                    relay.wake()
                await asyncio.to_thread(await_record, consumer, marker)
                latencies_ms.append((time.perf_counter() - committed_s) * 1000)
            name = "woken" if woken else "polled"
            cuts = statistics.quantiles(latencies_ms, n=20)
            samples[f"{name}_p50_ms"].append(cuts[9])
            samples[f"{name}_p95_ms"].append(cuts[18])
    consumer.close()


def await_record(consumer: Consumer, value: bytes) -> None:
    """Consume until the record with this value came."""
    while (message := consumer.poll(10)) is not None:
        if message.value() == value:
            return
    raise TimeoutError("the record did not come")


async def measure(*, events: int, repeats: int) -> Samples:
    """Take every sample ``repeats`` times, in turn."""
    samples: Samples = defaultdict(list)
    async with open_world() as world:
        for _ in range(repeats):
            await measure_drain(world, samples, events=events)
            await measure_latency(world, samples)
    return samples


def main() -> None:
    """Measure, and print a table or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    samples = uvloop.run(measure(events=arguments.events, repeats=arguments.repeats))
    if arguments.json:
        print(json.dumps({name: statistics.median(values) for name, values in samples.items()}))
        return
    for name, values in samples.items():
        middle = statistics.median(values)
        print(f"{name:<20} {middle:>12,.1f}   {min(values):>10,.1f} to {max(values):,.1f}")


if __name__ == "__main__":
    main()
