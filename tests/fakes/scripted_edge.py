"""A gateway for client tests: an in-process gRPC server whose RPCs are plain functions."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as PackedMessage
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.status_pb2 import Status

from blytz.auction.v1 import auction_service_pb2, show_service_pb2
from blytz.identity.v1 import auth_service_pb2, user_service_pb2
from blytz.payment.v1 import wallet_service_pb2
from blytz.realtime.v1 import realtime_service_pb2

FILES = (
    auction_service_pb2,
    show_service_pb2,
    auth_service_pb2,
    user_service_pb2,
    wallet_service_pb2,
    realtime_service_pb2,
)


class ScriptedEdge:
    """Answers each RPC with the function of its name in ``script``; remembers what it was sent."""

    def __init__(self) -> None:
        self.script: dict[str, Callable[..., Any]] = {}
        self.requests: list[tuple[str, Any]] = []
        self.metadata: list[dict[str, str]] = []
        self.deadlines_s: list[float | None] = []
        self.url = ""

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        return [
            grpc.method_handlers_generic_handler(
                service.full_name,
                {method.name: self._handler(method) for method in service.methods},
            )
            for file in FILES
            for service in file.DESCRIPTOR.services_by_name.values()
        ]

    def _handler(self, method: Any) -> Any:
        name = method.name

        async def unary(request: Any, context: Any) -> Any:
            self._note(name, request, context)
            return await self.script[name](request, context)

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            self._note(name, request, context)
            async for response in self.script[name](request, context):
                yield response

        build: Any = grpc.unary_unary_rpc_method_handler
        if method.server_streaming:
            build = grpc.unary_stream_rpc_method_handler
        return build(
            stream if method.server_streaming else unary,
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )

    def _note(self, name: str, request: Any, context: Any) -> None:
        self.requests.append((name, request))
        self.metadata.append(dict(context.invocation_metadata()))
        self.deadlines_s.append(context.time_remaining())


@asynccontextmanager
async def scripted_edge() -> AsyncIterator[ScriptedEdge]:
    edge = ScriptedEdge()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(edge.handlers())
    edge.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield edge
    finally:
        await server.stop(None)


async def fail(context: Any, code: grpc.StatusCode, *details: Message) -> None:
    """End a call with a status that carries details."""
    status = Status(code=code.value[0], message="scripted")
    for detail in details:
        packed = PackedMessage()
        packed.Pack(detail)
        status.details.append(packed)
    await context.abort(
        code, "scripted", (("grpc-status-details-bin", status.SerializeToString()),)
    )
