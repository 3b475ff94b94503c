"""Client channels: deadline, retry and routing of each call come from the contract."""

import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from servicekit.call import current_call
from servicekit.contract import MethodContract, methods_of
from servicekit.rpc import TIME_TO_REPORT_S
from servicekit.telemetry import current_traceparent
from servicekit.tls import MeshIdentity

Stub = TypeVar("Stub")

ROUTE_KEY_HEADER = "x-route-key"

_RETRY_POLICY = {
    "maxAttempts": 3,
    "initialBackoff": "0.02s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


class Channels:
    """The channels of one process, one for each service of the contract, opened at first use."""

    def __init__(self, *, identity: MeshIdentity, addresses: Mapping[str, str]) -> None:
        self._credentials = identity.channel_credentials()
        self._addresses = addresses
        self._channels: dict[str, grpc.aio.Channel] = {}

    def stub(self, stub_class: Callable[[grpc.aio.Channel], Stub]) -> Stub:
        """Return a stub of ``stub_class`` on the channel of its service."""
        service = _service_of(stub_class)
        if service.full_name not in self._channels:
            self._channels[service.full_name] = self._open(service)
        return stub_class(self._channels[service.full_name])

    def _open(self, service: ServiceDescriptor) -> grpc.aio.Channel:
        area = service.full_name.split(".")[1]
        methods = {method.path: method for method in methods_of(service)}
        return grpc.aio.secure_channel(
            self._addresses[area],
            self._credentials,
            options=[
                ("grpc.service_config", json.dumps(service_config(list(methods.values())))),
                ("grpc.ssl_target_name_override", f"{area}.blytz.internal"),
                ("grpc.keepalive_time_ms", 30_000),
                # A replica that was restarted has its calls again before the next one drains.
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 1_000),
            ],
            interceptors=[_ContractInterceptor(methods)],
        )

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._channels.values():
            await channel.close()


def service_config(methods: list[MethodContract]) -> dict[str, Any]:
    """Return the gRPC service config: all healthy replicas in turn, retries as the contracts ask.

    The deadline is not in it: grpcio 1.85 counts a config's timeout from one to two seconds before
    the call, so that calls of 1.5 s fail at once. ``_ContractInterceptor`` sets it on each call.
    Its form:
    https://github.com/grpc/grpc-proto/blob/master/grpc/service_config/service_config.proto
    """
    configs = []
    for method in methods:
        service, name = method.path.removeprefix("/").split("/")
        config: dict[str, Any] = {"name": [{"service": service, "method": name}]}
        if method.retryable and not method.client_streaming:
            config["retryPolicy"] = _RETRY_POLICY
        configs.append(config)
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        # A replica that drains says so, and is left before it stops.
        "healthCheckConfig": {"serviceName": ""},
        "methodConfig": configs,
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }


class _ContractInterceptor(grpc.aio.UnaryUnaryClientInterceptor):
    """Passes on the running call's deadline and trace, and the key that picks the replica."""

    def __init__(self, methods: Mapping[str, MethodContract]) -> None:
        self._methods = methods

    async def intercept_unary_unary(
        self, continuation: Any, details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        path = details.method.decode() if isinstance(details.method, bytes) else details.method
        method = self._methods[path]
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        if method.route_by:
            metadata.add(ROUTE_KEY_HEADER, getattr(request, method.route_by))
        timeout_s = details.timeout or method.timeout_s
        call = current_call.get()
        if call is not None:
            metadata.add("traceparent", current_traceparent.get() or call.traceparent)
            remaining_s = call.deadline_s()
            if remaining_s is not None and timeout_s is not None:
                timeout_s = min(timeout_s, max(0.0, remaining_s - TIME_TO_REPORT_S))
        return await continuation(
            grpc.aio.ClientCallDetails(
                details.method, timeout_s, metadata, details.credentials, details.wait_for_ready
            ),
            request,
        )


def _service_of(stub_class: Any) -> ServiceDescriptor:
    messages = importlib.import_module(stub_class.__module__.removesuffix("_grpc"))
    service: ServiceDescriptor = messages.DESCRIPTOR.services_by_name[
        stub_class.__name__.removesuffix("Stub")
    ]
    return service
