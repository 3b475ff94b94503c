"""The feed as one writes it first, for `benchmarks/feed.py` to compare with: grpcio and queues."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import grpc

from benchmarks.feed_events import FIRST, first_snapshot
from blytz.events.v1.event_pb2 import Event
from blytz.realtime.v1 import realtime_service_pb2
from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionRequest, WatchAuctionResponse
from svc_realtime.domain.position import Position
from svc_realtime.infrastructure.event_mapping import update_of
from svc_realtime.infrastructure.frame_codec import ProtobufFrameCodec, position_message

SERVICE = realtime_service_pb2.DESCRIPTOR.services_by_name["RealtimeService"]
MESSAGE_PREFIX_BYTES = 5


class PlainServer:
    """What one writes first: a queue a viewer, a message an event and viewer."""

    def __init__(self) -> None:
        self.deliveries = 0
        self.sent_bytes = 0
        self._sent: dict[asyncio.Queue[WatchAuctionResponse], int] = {}

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._sent)

    def feed(self, event: Event) -> None:
        """Give an event to every viewer."""
        update = update_of(event)
        frame = WatchAuctionResponse(
            position=position_message(Position(event.epoch, event.sequence)),
            server_time=event.occurred_at,
            updates=[] if update is None else [update],
        )
        for queue in self._sent:
            queue.put_nowait(frame)

    async def watch(
        self, _request: WatchAuctionRequest, _context: object
    ) -> AsyncIterator[WatchAuctionResponse]:
        """Yield each event as it comes."""
        queue: asyncio.Queue[WatchAuctionResponse] = asyncio.Queue()
        self._sent[queue] = FIRST.sequence
        try:
            yield WatchAuctionResponse.FromString(
                ProtobufFrameCodec().frame(FIRST, snapshot=first_snapshot())
            )
            while True:
                frame = await queue.get()
                yield frame
                self.deliveries += 1
                self._sent[queue] = frame.position.sequence
        finally:
            del self._sent[queue]

    def caught_up(self, sequence: int) -> bool:
        """Whether every viewer has been sent all up to an event."""
        return min(self._sent.values()) >= sequence

    def serialize(self, message: WatchAuctionResponse) -> bytes:
        """Serialise for one viewer, and count."""
        payload = message.SerializeToString()
        self.sent_bytes += len(payload) + MESSAGE_PREFIX_BYTES
        return payload


async def serve_plain(stack: AsyncExitStack, address: str) -> PlainServer:
    """Serve with nothing but grpcio."""
    plain = PlainServer()
    server = grpc.aio.server(
        options=[
            ("grpc.max_concurrent_streams", 100_000),
            ("grpc.server.max_pending_requests", 20_000),
            ("grpc.server.max_pending_requests_hard_limit", 40_000),
        ]
    )
    handler = grpc.unary_stream_rpc_method_handler(
        plain.watch,
        request_deserializer=WatchAuctionRequest.FromString,
        response_serializer=plain.serialize,
    )
    methods = {"WatchAuction": handler}
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(SERVICE.full_name, methods)]
    )
    server.add_insecure_port(address)
    await server.start()
    stack.push_async_callback(server.stop, None)
    return plain
