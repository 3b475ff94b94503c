"""The servers that `benchmarks/feed.py` compares: one auction, many viewers, events as told.

``python -m benchmarks.feed_server KIND [KAFKA_BOOTSTRAP]`` prints one JSON line when it listens and
one for each command, a JSON line on standard input. KIND is ``plain`` (a grpcio server that yields
each event to each viewer), ``hub`` (svc_realtime's hub behind its handler, fed through the hub's
own entry) or ``kafka`` (the same, fed by the broker).
"""

import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from typing import Any, Protocol

import grpc
import structlog
import uvloop

from benchmarks.feed_events import AUCTION_ID, bid_placed, first_snapshot
from benchmarks.feed_plain import serve_plain
from blytz.events.v1.event_pb2 import Event
from blytz.realtime.v1 import realtime_service_pb2
from servicekit.background import running
from servicekit.call import Person
from servicekit.rpc import RpcAdapter
from servicekit.server import GrpcServer
from stack.memory import memory_bytes_of
from stack.ports import PortReservations
from svc_realtime.application.hub import Hub
from svc_realtime.application.limits import HubLimits
from svc_realtime.domain.change import Snapshot
from svc_realtime.domain.errors import FeedUnavailable
from svc_realtime.infrastructure.event_log import EventLog
from svc_realtime.infrastructure.event_log_reader import EventLogReader
from svc_realtime.infrastructure.event_mapping import change_of
from svc_realtime.infrastructure.frame_codec import ProtobufFrameCodec
from svc_realtime.infrastructure.grpc_service import RealtimeGrpcService

SERVICE = realtime_service_pb2.DESCRIPTOR.services_by_name["RealtimeService"]
MESSAGE_PREFIX_BYTES = 5
CLOSED_LOOP_BACKLOG = 8
"""How many events a viewer may lag behind in the closed loop."""


class FeedServer(Protocol):
    """What a server of the comparison counts, and how it is fed."""

    def feed(self, event: Event) -> None:
        """Take an event in."""

    @property
    def viewers(self) -> int:
        """How many watch."""

    @property
    def deliveries(self) -> int:
        """Updates that left, each viewer counted."""

    @property
    def sent_bytes(self) -> int:
        """Bytes that left in gRPC messages, with their prefixes."""

    def caught_up(self, sequence: int) -> bool:
        """Whether every viewer has been sent all up to an event."""


class HubServer:
    """svc_realtime's own parts, from the event record to the handler."""

    def __init__(self) -> None:
        self.hub = Hub(
            source=self,
            codec=ProtobufFrameCodec(),
            limits=HubLimits(),
            observe_staleness=lambda _seconds: None,
        )

    async def load(self, _auction_id: str) -> Snapshot:
        """Return where the auction stands before the run."""
        return first_snapshot()

    def feed(self, event: Event) -> None:
        """Give an event to the hub as its record would be."""
        self.hub.receive([change_of(event.SerializeToString())])

    @property
    def viewers(self) -> int:
        """How many watch."""
        return self.hub.tally.viewers

    @property
    def deliveries(self) -> int:
        """Updates that left, each viewer counted."""
        return self.hub.tally.updates_sent

    @property
    def sent_bytes(self) -> int:
        """Bytes that left in gRPC messages, with their prefixes."""
        tally = self.hub.tally
        return tally.bytes_sent + tally.frames_sent * MESSAGE_PREFIX_BYTES

    def caught_up(self, sequence: int) -> bool:
        """Whether every viewer has been sent all up to an event."""
        feed = self.hub._feeds[AUCTION_ID]  # noqa: SLF001 - a look that the service does not need
        return all(
            viewer.idle and viewer.position is not None and viewer.position.sequence >= sequence
            for viewer in feed.viewers
        )


class NobodyVerifies:
    """A `Verifier` for streams without tokens."""

    def cached(self, _token: str) -> Person | None:
        """Know nobody."""
        return None

    async def verify(self, _token: str) -> Person:
        """Refuse: no viewer of a benchmark sends a token."""
        raise NotImplementedError


async def serve_hub(stack: AsyncExitStack, address: str, kafka_bootstrap: str) -> FeedServer:
    """Serve as svc_realtime does, but for TLS, which the other server has not either."""
    ours = HubServer()
    stack.push_async_callback(ours.hub.close)
    reader = EventLogReader(
        open_log=lambda: EventLog(kafka_bootstrap=kafka_bootstrap, rewind_s=0.0),
        receive=ours.hub.receive,
    )
    loops = [ours.hub.run, reader.run] if kafka_bootstrap else [ours.hub.run]
    server = GrpcServer(
        adapter=RpcAdapter(caller_of=lambda _context, _metadata: "edge", verifier=NobodyVerifies()),
        rpc=[(SERVICE, RealtimeGrpcService(ours.hub))],
        credentials=grpc.insecure_server_credentials(),
        address=address,
        concurrent_calls_max=50_000,
        reflect=False,
    )
    await stack.enter_async_context(running(loops))
    if kafka_bootstrap:
        await until_reached(reader)
    await server.start()
    stack.push_async_callback(server.drain, grace_s=0.5)
    return ours


async def until_reached(reader: EventLogReader) -> None:
    """Return when the reader has its place in the log."""
    while True:
        try:
            await reader.check()
        except FeedUnavailable:
            await asyncio.sleep(0.02)
        else:
            return


async def run_open_loop(server: FeedServer, *, first: int, rate_per_s: float, count: int) -> None:
    """Feed events on a fixed schedule, whatever becomes of them."""
    started_s = time.perf_counter()
    for number in range(count):
        delay_s = started_s + number / rate_per_s - time.perf_counter()
        if delay_s > 0:
            await asyncio.sleep(delay_s)
        server.feed(bid_placed(first + number))


async def run_closed_loop(server: FeedServer, *, first: int, seconds: float) -> int:
    """Feed events as fast as they leave, for a while; return how many there were."""
    before, count = server.deliveries, 0
    give_up_s = time.perf_counter() + seconds
    while time.perf_counter() < give_up_s:
        server.feed(bid_placed(first + count))
        count += 1
        behind = (count - CLOSED_LOOP_BACKLOG) * server.viewers
        while server.deliveries - before < behind:  # noqa: ASYNC110 - the handlers count
            await asyncio.sleep(0.0005)
    return count


async def obey(server: FeedServer, command: dict[str, Any]) -> dict[str, Any]:
    """Do what a line of standard input says."""
    if command["do"] == "memory":
        return {"bytes": memory_bytes_of(os.getpid())}
    if command["do"] == "viewers":
        while server.viewers < command["count"]:  # noqa: ASYNC110 - clients open them
            await asyncio.sleep(0.01)
        return {"viewers": server.viewers}
    cpu_s, before, first = time.process_time(), server.deliveries, command["first"]
    count = command.get("count", 0)
    if command["do"] == "closed":
        count = await run_closed_loop(server, first=first, seconds=command["seconds"])
    elif command["do"] == "open":
        await run_open_loop(server, first=first, rate_per_s=command["rate_per_s"], count=count)
    give_up_s = time.perf_counter() + command.get("patience_s", 30.0)
    while not server.caught_up(first + count - 1):
        if time.perf_counter() > give_up_s:
            raise TimeoutError(f"{server.deliveries - before} deliveries of {count} events")
        await asyncio.sleep(0.005)
    return {
        "cpu_s": time.process_time() - cpu_s,
        "events": count,
        "deliveries": server.deliveries - before,
        "sent_bytes": server.sent_bytes,
        "viewers": server.viewers,
    }


async def main(kind: str, kafka_bootstrap: str = "") -> None:
    """Serve until standard input ends."""
    # Standard output is for the answers.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    async with AsyncExitStack() as stack:
        address = f"127.0.0.1:{stack.enter_context(PortReservations()).take()}"
        if kind == "plain":
            server: FeedServer = await serve_plain(stack, address)
        else:
            server = await serve_hub(stack, address, kafka_bootstrap)
        print(json.dumps({"address": address, "auction_id": AUCTION_ID}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await obey(server, json.loads(line))), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
