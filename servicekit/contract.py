"""The contract of an RPC, read from its descriptor: the only source of policy at run time."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from blytz.options.v1 import policy_pb2
from blytz.options.v1.policy_pb2 import Access, Caller, Idempotency, Policy

ANY_CALLER = "mesh"


class ContractError(Exception):
    """A contract cannot be served: it lacks a policy, or a handler lacks a method."""


@dataclass(frozen=True, slots=True)
class MethodContract:
    """What the contract says about one RPC.

    ``path`` is the gRPC path, ``callers`` are workload names, ``timeout_s`` is None on streams
    without a limit, ``route_by`` is the request field that picks a replica, or empty, and
    ``cache_max_age_s`` is how long anyone may keep the answer to a call without a token.
    """

    path: str
    name: str
    callers: frozenset[str]
    access: Access.ValueType
    timeout_s: float | None
    idempotency: Idempotency.ValueType
    rate_per_second: int
    rate_burst: int
    route_by: str
    cache_max_age_s: int
    request_class: type[Message]
    response_class: type[Message]
    client_streaming: bool
    server_streaming: bool

    @property
    def retryable(self) -> bool:
        """Whether a client may send the call again when its outcome is unknown."""
        return self.idempotency != Idempotency.IDEMPOTENCY_NO


def methods_of(service: ServiceDescriptor) -> Iterator[MethodContract]:
    """Yield the contract of each RPC of a service; ``ContractError`` if one has no policy."""
    for method in service.methods:
        yield _read(service, method)


def _read(service: ServiceDescriptor, method: MethodDescriptor) -> MethodContract:
    options = method.GetOptions()
    if not options.HasExtension(policy_pb2.policy):
        raise ContractError(f"{method.full_name} has no policy option")
    policy: Policy = options.Extensions[policy_pb2.policy]
    return MethodContract(
        path=f"/{service.full_name}/{method.name}",
        name=method.name,
        callers=frozenset(
            Caller.Name(caller).removeprefix("CALLER_").lower() for caller in policy.callers
        ),
        access=policy.access,
        timeout_s=policy.timeout_ms / 1000 if policy.timeout_ms else None,
        idempotency=policy.idempotency,
        rate_per_second=policy.rate.per_second,
        rate_burst=policy.rate.burst,
        route_by=policy.route_by,
        cache_max_age_s=policy.cache_max_age_s,
        request_class=GetMessageClass(method.input_type),
        response_class=GetMessageClass(method.output_type),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
    )
