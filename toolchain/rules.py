"""The rules that every contract keeps beyond `buf lint`: one clear line for each breach."""

import re
from collections import Counter
from collections.abc import Iterator

from toolchain.contract import EDGE, Contract, Field, Message, Policy, Rpc

PATH_VARIABLE = re.compile(r"\{([a-z0-9_.]+)(?:=[^}]*)?\}")
FEED = re.compile(r"Watch[A-Z]")
REQUEST_ID = "request_id"
UUID_RULE = "string.uuid = true"


def find_problems(contract: Contract) -> list[str]:
    """Return every breach of the rules, each as `service/RPC: what is wrong`."""
    problems = [f"{rpc.path[1:]}: {what}" for rpc in contract.rpcs for what in _of(contract, rpc)]
    bindings = Counter(
        (binding.method, PATH_VARIABLE.sub("{}", binding.path))
        for rpc in contract.rpcs
        for binding in rpc.http
    )
    problems += [
        f"{method} {path}: {count} RPCs have this HTTP binding"
        for (method, path), count in bindings.items()
        if count > 1
    ]
    return problems


def _of(contract: Contract, rpc: Rpc) -> Iterator[str]:
    """Yield what is wrong with one RPC."""
    policy = rpc.policy
    if policy is None:
        yield "has no policy option"
        return
    yield from _callers_and_access(rpc, policy)
    yield from _timeout(rpc, policy)
    yield from _idempotency(contract, rpc, policy)
    if policy.rate is not None and not 0 < policy.rate.per_second <= policy.rate.burst:
        yield "rate needs per_second above 0 and a burst of at least per_second"
    yield from _routing(contract, rpc, policy)
    yield from _caching(rpc, policy)


def _callers_and_access(rpc: Rpc, policy: Policy) -> Iterator[str]:
    if not policy.callers:
        yield "names no callers"
    if "UNSPECIFIED" in policy.callers:
        yield "names CALLER_UNSPECIFIED"
    if len(set(policy.callers)) < len(policy.callers):
        yield "names a caller twice"
    if policy.access == "UNSPECIFIED":
        yield "has no access"
    if policy.access == "SERVICE" and EDGE in policy.callers:
        yield "has access SERVICE, which the caller EDGE can never have"
    if policy.access == "SERVICE" and rpc.http:
        yield "has access SERVICE and an HTTP binding, which nobody could call"


def _timeout(rpc: Rpc, policy: Policy) -> Iterator[str]:
    if policy.timeout_ms == 0 and not rpc.streaming:
        yield "has no timeout_ms; 0 stands on streams alone"
    if policy.timeout_ms > 0 and FEED.match(rpc.name):
        yield "is a feed with a timeout_ms; a feed ends by its own age"
    if FEED.match(rpc.name) and (rpc.client_streaming or not rpc.server_streaming):
        yield "is called Watch… and is no server stream"


def _idempotency(contract: Contract, rpc: Rpc, policy: Policy) -> Iterator[str]:
    if policy.idempotency == "UNSPECIFIED":
        yield "has no idempotency"
    if policy.idempotency != "BY_REQUEST_ID":
        return
    field = _field_of_command(contract, rpc, REQUEST_ID)
    if field is None:
        yield f"is BY_REQUEST_ID and its request has no {REQUEST_ID}"
    elif field.type_name != "string" or field.repeated or UUID_RULE not in field.rules:
        yield f"is BY_REQUEST_ID and its {REQUEST_ID} is no string with the rule uuid"


def _caching(rpc: Rpc, policy: Policy) -> Iterator[str]:
    if policy.cache_max_age_s == 0:
        return
    if policy.access != "PUBLIC" or policy.idempotency != "YES" or rpc.streaming:
        yield "has cache_max_age_s and is no public unary call that may be repeated"
    if not any(binding.method == "GET" for binding in rpc.http):
        yield "has cache_max_age_s and nobody can GET it"


def _routing(contract: Contract, rpc: Rpc, policy: Policy) -> Iterator[str]:
    request = contract.messages.get(rpc.request)
    for binding in rpc.http:
        for variable in PATH_VARIABLE.findall(binding.path):
            if request is None or request.field(variable) is None:
                yield f"has {{{variable}}} in its path, which is no field of its request"
    if not policy.route_by:
        return
    if rpc.streaming:
        yield "is a stream with route_by: one hot key must be able to span replicas"
    field = request.field(policy.route_by) if request else None
    if field is None:
        yield f"has route_by {policy.route_by!r}, which is no field of its request"
    elif field.type_name != "string" or field.repeated:
        yield f"has route_by {policy.route_by!r}, which is no string"
    for binding in rpc.http:
        if policy.route_by not in PATH_VARIABLE.findall(binding.path):
            yield f"has route_by {policy.route_by!r}, which is not in the path {binding.path}"


def _field_of_command(contract: Contract, rpc: Rpc, name: str) -> Field | None:
    """Return a field of the request or, on a stream, of the message that its first field is."""
    request = contract.messages.get(rpc.request)
    if request is None:
        return None
    return request.field(name) or _field_of_first(contract, rpc, request, name)


def _field_of_first(contract: Contract, rpc: Rpc, request: Message, name: str) -> Field | None:
    if not rpc.client_streaming or not request.fields:
        return None
    command = contract.messages.get(request.fields[0].type_name)
    return command.field(name) if command else None
