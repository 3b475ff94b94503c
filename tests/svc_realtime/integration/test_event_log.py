import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer

from fakes.auction_world import AuctionWorld
from fakes.event_world import BrokerProcess
from fakes.eventually import eventually
from kernel.ids import new_id
from servicekit.background import running
from stack.parts.kafka import ensure_topics
from stack.ports import PortReservations
from svc_realtime.domain.change import Change
from svc_realtime.domain.errors import FeedUnavailable
from svc_realtime.infrastructure.event_log import TOPIC, EventLog
from svc_realtime.infrastructure.event_log_reader import EventLogReader


def publish(kafka_bootstrap: str, records: list[tuple[str, bytes]]) -> None:
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "log_level": 0})
    for key, value in records:
        producer.produce(TOPIC, key=key, value=value)
    assert producer.flush(10) == 0


def records_of(world: AuctionWorld) -> list[tuple[str, bytes]]:
    return [(world.auction_id, event.SerializeToString()) for event in world.events]


@asynccontextmanager
async def reading(
    kafka_bootstrap: str, receive: Callable[[list[Change]], None]
) -> AsyncIterator[EventLogReader]:
    reader = EventLogReader(
        open_log=lambda: EventLog(kafka_bootstrap=kafka_bootstrap, rewind_s=300.0),
        receive=receive,
    )
    async with running([reader.run]):
        yield reader


class Seen:
    """The sequences that came, of one auction."""

    def __init__(self, auction_id: str) -> None:
        self.auction_id = auction_id
        self.sequences: list[int] = []

    def receive(self, changes: list[Change]) -> None:
        self.sequences += [
            change.position.sequence for change in changes if change.auction_id == self.auction_id
        ]

    def first_times(self) -> list[int]:
        return list(dict.fromkeys(self.sequences))


async def test_it_reads_from_some_minutes_back_and_goes_on(kafka_bootstrap: str) -> None:
    world = AuctionWorld(new_id()).live(bids=5)
    await asyncio.to_thread(publish, kafka_bootstrap, records_of(world))
    seen = Seen(world.auction_id)
    async with reading(kafka_bootstrap, seen.receive) as reader:
        await eventually(lambda: len(seen.sequences) == 7)
        await reader.check()
        event = world.bid()
        await asyncio.to_thread(
            publish, kafka_bootstrap, [(world.auction_id, event.SerializeToString())]
        )
        await eventually(lambda: len(seen.sequences) == 8)
    assert seen.sequences == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_two_readers_each_get_everything(kafka_bootstrap: str) -> None:
    world = AuctionWorld(new_id()).live(bids=5)
    one, other = Seen(world.auction_id), Seen(world.auction_id)
    async with reading(kafka_bootstrap, one.receive), reading(kafka_bootstrap, other.receive):
        await asyncio.to_thread(publish, kafka_bootstrap, records_of(world))
        await eventually(lambda: len(one.sequences) == len(other.sequences) == 7)


async def test_a_record_that_is_no_event_does_not_stop_the_others(kafka_bootstrap: str) -> None:
    world = AuctionWorld(new_id()).live(bids=1)
    seen = Seen(world.auction_id)
    first, *rest = records_of(world)
    async with reading(kafka_bootstrap, seen.receive):
        await asyncio.to_thread(
            publish, kafka_bootstrap, [first, (world.auction_id, b"\xff garbage"), *rest]
        )
        await eventually(lambda: seen.sequences == [1, 2, 3])


async def test_it_is_not_ready_without_a_broker_and_needs_none_to_start(
    tmp_path: Path, port_reservations: PortReservations
) -> None:
    world = AuctionWorld(new_id()).live(bids=2)
    seen = Seen(world.auction_id)
    broker = BrokerProcess(port=port_reservations.take(), folder=tmp_path)
    try:
        async with reading(broker.bootstrap, seen.receive) as reader:
            await asyncio.sleep(0.2)
            with pytest.raises(FeedUnavailable):
                await reader.check()
            await broker.start()
            await asyncio.to_thread(ensure_topics, broker.bootstrap)
            await asyncio.to_thread(publish, broker.bootstrap, records_of(world))
            await eventually(lambda: len(seen.sequences) >= 4, within_s=20)
            await reader.check()
    finally:
        await broker.kill()


async def test_it_recovers_from_a_broker_that_lost_its_log(
    tmp_path: Path, port_reservations: PortReservations
) -> None:
    world = AuctionWorld(new_id()).live(bids=40)
    seen = Seen(world.auction_id)
    broker = BrokerProcess(port=port_reservations.take(), folder=tmp_path)
    try:
        await broker.start()
        await asyncio.to_thread(ensure_topics, broker.bootstrap)
        async with reading(broker.bootstrap, seen.receive):
            await asyncio.to_thread(publish, broker.bootstrap, records_of(world))
            await eventually(lambda: len(seen.sequences) == 42)
            await broker.kill()
            world.bid()
            await broker.start()
            await asyncio.to_thread(ensure_topics, broker.bootstrap)
            # The relay sends again what the log has lost, from somewhere before its end.
            await asyncio.to_thread(publish, broker.bootstrap, records_of(world)[35:])
            await eventually(lambda: 43 in seen.sequences, within_s=20)
            world.bid()
            await asyncio.to_thread(publish, broker.bootstrap, records_of(world)[-1:])
            await eventually(lambda: 44 in seen.sequences)
    finally:
        await broker.kill()
    assert seen.first_times() == list(range(1, 45))
