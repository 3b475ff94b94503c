"""What the contract says about each RPC, read from the options of its descriptor."""

from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from blytz.options.v1 import policy_pb2
from blytz.options.v1.policy_pb2 import Idempotency


@dataclass(frozen=True, slots=True)
class MethodPolicy:
    """How to call one RPC.

    ``path`` is its gRPC path, ``timeout_s`` its deadline (None for streams without one),
    ``retryable`` whether it may be sent again, ``route_by`` the request field that picks a replica.
    """

    path: str
    timeout_s: float | None
    retryable: bool
    route_by: str

    def route_key(self, request: Message) -> str | None:
        """Return the value that picks the replica, or None where any replica will do."""
        return str(getattr(request, self.route_by)) if self.route_by else None


def policies_of(service: ServiceDescriptor) -> Mapping[str, MethodPolicy]:
    """Return the policy of each RPC of a service, by the RPC's name."""
    policies = {}
    for method in service.methods:
        policy = method.GetOptions().Extensions[policy_pb2.policy]
        policies[method.name] = MethodPolicy(
            path=f"/{service.full_name}/{method.name}",
            timeout_s=policy.timeout_ms / 1000 if policy.timeout_ms else None,
            retryable=policy.idempotency
            in {Idempotency.IDEMPOTENCY_YES, Idempotency.IDEMPOTENCY_BY_REQUEST_ID},
            route_by=policy.route_by,
        )
    return policies
