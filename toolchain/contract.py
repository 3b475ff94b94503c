"""The contract as plain data: services, their RPCs with their policies, messages, enums, comments.

Everything that is derived starts from here; nothing here knows a descriptor or an output format.
"""

from collections.abc import Iterator
from dataclasses import dataclass

EDGE = "EDGE"
MESH = "MESH"


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A token bucket for each person or, without a token, for each client address."""

    per_second: int
    burst: int


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What an RPC says about itself; enum values are named without their prefix."""

    callers: tuple[str, ...]
    access: str
    timeout_ms: int
    idempotency: str
    rate: Rate | None
    route_by: str
    cache_max_age_s: int


@dataclass(frozen=True, kw_only=True)
class HttpBinding:
    """How an RPC is called as JSON over HTTP."""

    method: str
    path: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Rpc:
    """One RPC of a service."""

    service: str
    """The full name of the service, for example `blytz.auction.v1.AuctionService`."""
    name: str
    area: str
    """The second part of the package, for example `auction`; one service process serves it."""
    comment: str
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    http: tuple[HttpBinding, ...]
    policy: Policy | None
    """None fails the build, see `toolchain.rules`."""

    @property
    def path(self) -> str:
        """The path of a gRPC call, for example `/blytz.auction.v1.AuctionService/PlaceBid`."""
        return f"/{self.service}/{self.name}"

    @property
    def streaming(self) -> bool:
        """Whether either side sends a stream."""
        return self.client_streaming or self.server_streaming

    @property
    def required_policy(self) -> Policy:
        """The policy of an RPC whose contract is known to be valid."""
        if self.policy is None:
            raise ValueError(f"{self.path} has no policy")
        return self.policy

    @property
    def public_at_edge(self) -> bool:
        """Whether the gateway may call it, so that it is reachable from outside."""
        policy = self.required_policy
        return policy.access != "SERVICE" and not {EDGE, MESH}.isdisjoint(policy.callers)


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service."""

    full_name: str
    area: str
    comment: str
    rpcs: tuple[Rpc, ...]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a message."""

    name: str
    type_name: str
    """A scalar type, or the full name of a message or an enum."""
    repeated: bool
    oneof: str
    """The oneof that the field is an alternative of, or nothing."""
    comment: str
    rules: tuple[str, ...]
    """The validation rules in short form, for example `string.uuid = true`."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message type."""

    full_name: str
    comment: str
    rules: tuple[str, ...]
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        """Return the field of this name, or None."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True, kw_only=True)
class EnumValue:
    """One value of an enum."""

    name: str
    number: int
    comment: str


@dataclass(frozen=True, kw_only=True)
class Enum:
    """One enum type."""

    full_name: str
    comment: str
    values: tuple[EnumValue, ...]


@dataclass(frozen=True, kw_only=True)
class Contract:
    """All services, messages and enums that are ours, in the order of their files."""

    services: tuple[Service, ...]
    messages: dict[str, Message]
    enums: dict[str, Enum]

    @property
    def rpcs(self) -> Iterator[Rpc]:
        """Every RPC of every service."""
        for service in self.services:
            yield from service.rpcs

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas that have services, sorted."""
        return tuple(sorted({service.area for service in self.services}))


def area_of(full_name: str) -> str:
    """Return the area of a full name: the second part of its package."""
    return full_name.split(".")[1]
