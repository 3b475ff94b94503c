"""Writes docs/api.md: services, RPCs, messages, enums and reasons, in the contract's words."""

from collections.abc import Iterator

from toolchain.contract import Contract, Enum, Field, Message, Policy, Rpc, Service, area_of

PACKAGE_ROOT = "blytz."
ERROR_REASON = "ErrorReason"
OWN_AREAS_FIRST = ("identity", "auction", "payment", "realtime")
INTRODUCTION = """\
<!-- Generated from the contracts by `make gen`; the words are those of the `.proto` files. -->

# The API

Every RPC is a gRPC method, callable as gRPC and gRPC-Web at the gateway's address; one with an
HTTP binding is callable as JSON as well. Field names are `snake_case` in gRPC and `camelCase` in
JSON, 64-bit numbers are strings in JSON, and a stream is one JSON object a line.

- **Access** is what the person behind the call must be. An access token is sent as
  `authorization: Bearer …`. `SERVICE` RPCs are not reachable from outside.
- **Callers** are the workloads on the mesh that may call, by their certificate; `EDGE` is the
  gateway, and so everyone outside.
- **Timeout** is the longest that a call may take, and a client's default deadline.
- **Repeatable** says whether a call whose outcome is unknown may be sent again: *yes*, *no*, or *by
  `request_id`*, where a replay has no second effect and returns the first answer.
- **Rate** is a token bucket for each person or, without a token, for each client address.
- **Routed by** names the field whose value a client also sends as the header `x-route-key`.

An error is a `google.rpc.Status` with `google.rpc.ErrorInfo`: its `reason` is one of those listed
with each area, without the prefix, and its `domain` is `blytz.live`. `google.rpc.BadRequest` names
the fields of an invalid request, `google.rpc.RetryInfo` says when to come back.
"""


def write_reference(contract: Contract) -> str:
    """Return the reference as Markdown."""
    areas = _areas(contract)
    lines = [INTRODUCTION, "## Contents", ""]
    for area in areas:
        lines.append(f"- [{_title(area)}](#{area})")
        lines += [
            f"  - [{_short(service.full_name)}](#{_anchor(service.full_name)})"
            for service in contract.services
            if service.area == area
        ]
    lines.append("")
    for area in areas:
        lines.extend(_area(contract, area))
    return "\n".join(lines).rstrip() + "\n"


def _areas(contract: Contract) -> list[str]:
    """Return the areas: those with services in the order of a person's way, then the others."""
    names = {*contract.messages, *contract.enums, *(each.full_name for each in contract.services)}
    order = {area: place for place, area in enumerate(OWN_AREAS_FIRST)}
    return sorted(
        {area_of(name) for name in names},
        key=lambda area: (area not in contract.areas, order.get(area, len(order)), area),
    )


def _area(contract: Contract, area: str) -> Iterator[str]:
    yield from (f"## {_title(area)}", "")
    for service in contract.services:
        if service.area == area:
            yield from _service(service)
    messages = [message for message in contract.messages.values() if _in(message.full_name, area)]
    if messages:
        yield from (f"### Messages of {area}", "")
        for message in messages:
            yield from _message(contract, message)
    enums = [enum for enum in contract.enums.values() if _in(enum.full_name, area)]
    for enum in sorted(enums, key=lambda enum: _short(enum.full_name) == ERROR_REASON):
        yield from _enum(enum, area)


def _service(service: Service) -> Iterator[str]:
    yield from (f'### <a id="{_anchor(service.full_name)}"></a>{_short(service.full_name)}', "")
    yield from (f"`{service.full_name}` · {service.comment}", "")
    yield "| RPC | HTTP | Access | Timeout | Repeatable | Rate |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for rpc in service.rpcs:
        policy = rpc.required_policy
        http = "<br>".join(f"`{binding.method} {binding.path}`" for binding in rpc.http)
        yield (
            f"| [{rpc.name}](#{_anchor(rpc.service, rpc.name)}) | {http or 'gRPC only'} "
            f"| {policy.access} | {_timeout(policy)} | {_repeatable(policy)} | {_rate(policy)} |"
        )
    yield ""
    for rpc in service.rpcs:
        yield from _rpc(rpc)


def _rpc(rpc: Rpc) -> Iterator[str]:
    policy = rpc.required_policy
    yield from (f'#### <a id="{_anchor(rpc.service, rpc.name)}"></a>{rpc.name}', "")
    yield from (rpc.comment, "")
    yield f"- gRPC: `{rpc.path}`"
    for binding in rpc.http:
        body = {"*": ", the body is the request", "": ""}.get(
            binding.body, f", the body is `{binding.body}`"
        )
        yield f"- JSON: `{binding.method} {binding.path}`{body}"
    yield f"- Takes {_stream(rpc.request, streaming=rpc.client_streaming)}"
    yield f"- Returns {_stream(rpc.response, streaming=rpc.server_streaming)}"
    callers = ", ".join(f"`{caller}`" for caller in policy.callers)
    yield f"- Access `{policy.access}`, callers {callers}"
    routed = f", routed by `{policy.route_by}`" if policy.route_by else ""
    yield (
        f"- Timeout: {_timeout(policy)}; repeatable: {_repeatable(policy)}; "
        f"rate: {_rate(policy)}{routed}"
    )
    if policy.cache_max_age_s:
        kept_s = policy.cache_max_age_s
        yield f"- Anyone may keep the answer to a call without a token for {kept_s} s"
    yield ""


def _message(contract: Contract, message: Message) -> Iterator[str]:
    yield from (f'#### <a id="{_anchor(message.full_name)}"></a>{_short(message.full_name)}', "")
    yield from (message.comment, "")
    for rule in message.rules:
        yield from (f"Rule: {_cell(rule)}.", "")
    if not message.fields:
        return
    yield "| Field | Type | Meaning | Rules |"
    yield "| --- | --- | --- | --- |"
    for field in message.fields:
        one_of = f"<br>one of `{field.oneof}`" if field.oneof else ""
        rules = "<br>".join(_rule(rule) for rule in field.rules)
        yield (
            f"| `{field.name}`{one_of} | {_type(contract, field)} "
            f"| {_cell(field.comment)} | {rules} |"
        )
    yield ""


def _enum(enum: Enum, area: str) -> Iterator[str]:
    name = _short(enum.full_name)
    title = f"Error reasons of {area}" if name == ERROR_REASON else name
    yield from (f'#### <a id="{_anchor(enum.full_name)}"></a>{title}', "")
    yield from (enum.comment, "")
    yield "| Value | Meaning |"
    yield "| --- | --- |"
    for value in enum.values:
        yield f"| `{value.name}` | {_cell(value.comment)} |"
    yield ""


def _stream(full_name: str, *, streaming: bool) -> str:
    return f"a stream of {_link(full_name)}" if streaming else _link(full_name)


def _type(contract: Contract, field: Field) -> str:
    known = field.type_name in contract.messages or field.type_name in contract.enums
    name = _link(field.type_name) if known else f"`{field.type_name}`"
    return f"repeated {name}" if field.repeated else name


def _link(full_name: str) -> str:
    if not full_name.startswith(PACKAGE_ROOT):
        return f"`{full_name}`"
    return f"[{_short(full_name)}](#{_anchor(full_name)})"


def _rule(rule: str) -> str:
    """Return a rule as code, or as words where the contract gave words."""
    return f"`{_cell(rule)}`" if " = " in rule else _cell(rule)


def _timeout(policy: Policy) -> str:
    return f"{policy.timeout_ms / 1000:g} s" if policy.timeout_ms else "none"


def _repeatable(policy: Policy) -> str:
    return {"YES": "yes", "NO": "no"}.get(policy.idempotency, "by `request_id`")


def _rate(policy: Policy) -> str:
    if policy.rate is None:
        return "none"
    return f"{policy.rate.per_second}/s, burst {policy.rate.burst}"


def _cell(text: str) -> str:
    """Return text that fits into one cell of a table."""
    return text.replace("|", "\\|").replace("\n\n", "<br>").replace("\n", " ")


def _title(area: str) -> str:
    return area.capitalize()


def _short(full_name: str) -> str:
    return full_name.rpartition(".")[2]


def _anchor(*names: str) -> str:
    return "-".join(names).replace(".", "-").lower()


def _in(full_name: str, area: str) -> bool:
    return area_of(full_name) == area
