"""The gRPC server of a service: its contract's RPCs, health, and reflection in development."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from servicekit.contract import ContractError, methods_of
from servicekit.rpc import RpcAdapter

MESSAGE_BYTES_MAX = 1 << 20
"""The largest request; a larger one is RESOURCE_EXHAUSTED before it is read."""

Rpc = tuple[ServiceDescriptor, object]
"""A service of the contract and the object that has a method for each of its RPCs."""

_OPTIONS: list[tuple[str, int]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_concurrent_streams", 100_000),
    # A burst of opens must not be shed with bare CANCELLED.
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 40_000),
    # The gateway and other services ping idle connections.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.so_reuseport", 0),
]


class GrpcServer:
    """A gRPC server whose health says SERVING only between ``start`` and ``drain``."""

    def __init__(
        self,
        *,
        adapter: RpcAdapter,
        rpc: Sequence[Rpc],
        credentials: grpc.ServerCredentials,
        address: str,
        concurrent_calls_max: int,
        reflect: bool,
    ) -> None:
        self._server = grpc.aio.server(
            options=_OPTIONS, maximum_concurrent_rpcs=concurrent_calls_max
        )
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._server.add_generic_rpc_handlers(list(_handlers(adapter, rpc)))
        self._names = [service.full_name for service, _ in rpc]
        if reflect:
            reflection.enable_server_reflection(
                [*self._names, reflection.SERVICE_NAME], self._server
            )
        self._server.add_secure_port(address, credentials)

    async def start(self) -> None:
        """Accept calls and say so."""
        await self._server.start()
        await self._tell(health_pb2.HealthCheckResponse.SERVING)

    async def drain(self, *, grace_s: float, delay_s: float = 0.0) -> None:
        """Take no new calls, let running ones finish for ``grace_s`` seconds, then cancel them.

        Calls are still served for ``delay_s`` after health says NOT_SERVING, so that clients and
        balancers go elsewhere first: what arrives in the moment of the stop gets a bare CANCELLED.
        """
        await self._tell(health_pb2.HealthCheckResponse.NOT_SERVING)
        await asyncio.sleep(delay_s)
        await self._server.stop(grace_s)

    async def _tell(self, status: Any) -> None:
        for name in ("", *self._names):
            await self._health.set(name, status)


def _handlers(adapter: RpcAdapter, rpc: Sequence[Rpc]) -> Iterable[grpc.GenericRpcHandler]:
    for service, handler in rpc:
        methods = {}
        for method in methods_of(service):
            parts = handler if isinstance(handler, tuple) else (handler,)
            behaviours = [
                getattr(part, method.name) for part in parts if hasattr(part, method.name)
            ]
            if len(behaviours) != 1:
                names = ", ".join(type(part).__name__ for part in parts)
                raise ContractError(f"{len(behaviours)} of {names} serve {method.path}")
            methods[method.name] = adapter.adapt(method, behaviours[0])
        yield grpc.method_handlers_generic_handler(service.full_name, methods)
