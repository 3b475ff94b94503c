"""The viewers of `benchmarks/feed.py`: many that only take bytes in, and some that look closely.

``python -m benchmarks.feed_viewers ADDRESS AUCTION_ID VIEWERS CONNECTIONS PROBES`` opens half of
the probes, the many, then the other half, and prints a JSON line; then one for each line of
standard input. The many read HTTP/2 frames by their headers alone, because a gRPC client in Python
is slower than the server; the bytes that they count must be those that the server sent. The probes
are real gRPC clients: each checks that no sequence is missing or doubled, and measures its updates'
latency.
"""

import asyncio
import json
import struct
import sys
import time
from typing import Any

import grpc
import uvloop
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes, Settings

from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionRequest, WatchAuctionResponse

PATH = "/blytz.realtime.v1.RealtimeService/WatchAuction"
MESSAGE_PREFIX_BYTES = 5
WINDOW_BYTES = (1 << 31) - 1
REFILL_BYTES = 1 << 24

FRAME_HEADER_BYTES = 9
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = 1


class ByteSink(asyncio.Protocol):
    """One connection with many streams, whose frames it counts and drops (RFC 9113)."""

    def __init__(self, *, address: str, auction_id: str, streams: int) -> None:
        self.received_bytes = 0
        self.fault = ""
        self._address = address
        self._auction_id = auction_id
        self._streams = streams
        self._started: set[int] = set()
        self._rest = b""
        self._skip = 0
        self._unrefilled = 0
        self._transport: Any = None

    @property
    def ready(self) -> bool:
        """Whether every stream has had its first bytes."""
        return len(self._started) == self._streams

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open every stream."""
        self._transport = transport
        http2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        http2.local_settings = Settings(
            client=True, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES}
        )
        http2.initiate_connection()
        http2.increment_flow_control_window(WINDOW_BYTES - 65_535)
        request = WatchAuctionRequest(auction_id=self._auction_id).SerializeToString()
        for stream_id in range(1, 2 * self._streams, 2):
            http2.send_headers(
                stream_id,
                [
                    (":method", "POST"),
                    (":scheme", "http"),
                    (":path", PATH),
                    (":authority", self._address),
                    ("content-type", "application/grpc"),
                    ("te", "trailers"),
                ],
            )
            http2.send_data(
                stream_id, b"\0" + struct.pack(">I", len(request)) + request, end_stream=True
            )
        self._transport.write(http2.data_to_send())

    def data_received(self, data: bytes) -> None:
        """Walk from frame header to frame header."""
        buffer = self._rest + data if self._rest else data
        place, end = 0, len(buffer)
        while True:
            step = min(self._skip, end - place)
            place += step
            self._skip -= step
            if end - place < FRAME_HEADER_BYTES:
                break
            length = int.from_bytes(buffer[place : place + 3], "big")
            kind, flags = buffer[place + 3], buffer[place + 4]
            body = place + FRAME_HEADER_BYTES
            if kind == DATA:
                self._count(length, int.from_bytes(buffer[place + 5 : body], "big"))
            elif kind in {SETTINGS, PING} and not flags & ACK:
                if end - body < length:
                    break
                payload = buffer[body : body + length] if kind == PING else b""
                self._transport.write(_frame(kind, payload, flags=ACK))
            elif kind in {RST_STREAM, GOAWAY}:
                self.fault = f"frame type {kind} from the server"
            self._skip = length
            place = body
        self._rest = bytes(buffer[place:])

    def _count(self, length: int, stream_id: int) -> None:
        self.received_bytes += length
        self._started.add(stream_id)
        self._unrefilled += length
        if self._unrefilled >= REFILL_BYTES:
            payload = struct.pack(">I", self._unrefilled)
            self._transport.write(_frame(WINDOW_UPDATE, payload, flags=0))
            self._unrefilled = 0

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


def _frame(kind: int, payload: bytes, *, flags: int) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + bytes(4) + payload


class Probe:
    """One viewer that checks everything."""

    def __init__(self, channel: grpc.aio.Channel, auction_id: str) -> None:
        self.received_bytes = 0
        self.sequence = 0
        self.latencies_ms: list[float] = []
        self.first = asyncio.Event()
        watch: Any = channel.unary_stream(PATH)
        self._call = watch(WatchAuctionRequest(auction_id=auction_id).SerializeToString())
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while (message := await self._call.read()) is not grpc.aio.EOF:
            now_s = time.time()
            self.received_bytes += len(message) + MESSAGE_PREFIX_BYTES
            frame = WatchAuctionResponse.FromString(message)
            if frame.HasField("snapshot"):
                self.sequence = frame.position.sequence
                self.first.set()
            for update in frame.updates:
                assert update.sequence == self.sequence + 1, "a gap or a duplicate"
                self.sequence = update.sequence
                committed_at_s = update.occurred_at.seconds + update.occurred_at.nanos / 1e9
                self.latencies_ms.append(1000 * (now_s - committed_at_s))
            assert self.sequence == frame.position.sequence, "a position that nothing led to"

    def close(self) -> None:
        """End the stream."""
        self.reading.cancel()
        self._call.cancel()


class Crowd:
    """All viewers of a run."""

    def __init__(self, address: str, auction_id: str) -> None:
        self._address = address
        self._auction_id = auction_id
        self._channel = grpc.aio.insecure_channel(address)
        self._probes: list[Probe] = []
        self._sinks: list[ByteSink] = []

    async def open_probes(self, count: int) -> None:
        """Open some probes and wait for their first frames."""
        probes = [Probe(self._channel, self._auction_id) for _ in range(count)]
        self._probes += probes
        for probe in probes:
            await probe.first.wait()

    async def open_many(self, count: int, *, connections: int) -> None:
        """Open the many, spread over the connections."""
        host, port = self._address.split(":")
        for index in range(connections):
            streams = count // connections + (index < count % connections)
            _, sink = await asyncio.get_running_loop().create_connection(
                lambda streams=streams: ByteSink(  # type: ignore[misc]  # a default argument
                    address=self._address, auction_id=self._auction_id, streams=streams
                ),
                host,
                int(port),
            )
            self._sinks.append(sink)
        while not all(sink.ready for sink in self._sinks):
            self._check_sinks()
            await asyncio.sleep(0.01)

    async def verify(self, *, sent_bytes: int, sequence: int) -> dict[str, Any]:
        """Wait until everything has arrived; return the latencies since the last time."""
        give_up_s = time.perf_counter() + 20.0
        while not self._complete(sent_bytes, sequence):
            for probe in self._probes:
                if probe.reading.done():
                    probe.reading.result()
            if time.perf_counter() > give_up_s:
                raise TimeoutError(
                    f"{self._received_bytes()} of {sent_bytes} bytes, "
                    f"{min(probe.sequence for probe in self._probes)} of {sequence} events"
                )
            await asyncio.sleep(0.01)
        latencies_ms = [ms for probe in self._probes for ms in probe.latencies_ms]
        for probe in self._probes:
            probe.latencies_ms = []
        return {"latencies_ms": sorted(latencies_ms)}

    def _complete(self, sent_bytes: int, sequence: int) -> bool:
        self._check_sinks()
        return self._received_bytes() == sent_bytes and all(
            probe.sequence == sequence for probe in self._probes
        )

    def _check_sinks(self) -> None:
        faults = [sink.fault for sink in self._sinks if sink.fault]
        assert not faults, faults

    def _received_bytes(self) -> int:
        return sum(sink.received_bytes for sink in self._sinks) + sum(
            probe.received_bytes for probe in self._probes
        )

    async def close(self) -> None:
        """Leave."""
        for sink in self._sinks:
            sink.close()
        for probe in self._probes:
            probe.close()
        await self._channel.close()


async def main(address: str, auction_id: str, viewers: int, connections: int, probes: int) -> None:
    """Watch until standard input ends."""
    crowd = Crowd(address, auction_id)
    await crowd.open_probes(probes // 2)
    await crowd.open_many(viewers - probes, connections=connections)
    await crowd.open_probes(probes - probes // 2)
    print(json.dumps({"viewers": viewers}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await crowd.verify(**json.loads(line))), flush=True)
    await crowd.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])))
