"""One route for each way into each RPC, and a clear refusal for everything else of the API."""

import re
from typing import Any

from toolchain.contract import Contract, HttpBinding, Rpc
from toolchain.envoy.filters import allowed_origins, rate_limit_name, token_requirement
from toolchain.envoy.parameters import (
    BOUNDS,
    KEY_SET_PATH,
    ORIGINAL_PATH_HEADER,
    ROUTE_KEY_HEADER,
    USER_HEADER,
    WEB_CLUSTER,
)
from toolchain.rules import PATH_VARIABLE

REPEATABLE = frozenset({"YES", "BY_REQUEST_ID"})
API_PREFIXES = ("/blytz.", "/grpc.", "/v1/", "/webhooks/", "/.well-known/")
SEGMENT = "[^/:]+"


def public_routes(contract: Contract) -> dict[str, Any]:
    """Return the route table of the public listener."""
    reachable = sorted(
        (rpc for rpc in contract.rpcs if rpc.public_at_edge), key=lambda rpc: rpc.path
    )
    return {
        "name": "public",
        "request_headers_to_remove": [USER_HEADER],
        "virtual_hosts": [
            {
                "name": "everything",
                "domains": ["*"],
                "typed_per_filter_config": {"envoy.filters.http.cors": allowed_origins()},
                "routes": [
                    *(route for rpc in reachable for route in _routes_of(rpc)),
                    _preflight(),
                    *_refusals(),
                    _page(),
                ],
            }
        ],
    }


def key_set_routes(contract: Contract) -> dict[str, Any]:
    """Return the route table of the loopback listener: the keys that tokens are signed with."""
    routes = [
        {
            "name": f"{rpc.path[1:]} as JSON",
            "match": _http_match(binding),
            "route": {"cluster": rpc.area, **_time_limit(rpc)},
        }
        for rpc in contract.rpcs
        for binding in rpc.http
        if binding.path == KEY_SET_PATH
    ]
    return {
        "name": "key_set",
        "virtual_hosts": [{"name": "key_set", "domains": ["*"], "routes": routes}],
    }


def _routes_of(rpc: Rpc) -> list[dict[str, Any]]:
    """Return the RPC's routes: one for gRPC and gRPC-Web, one for each HTTP binding."""
    grpc = {
        "name": rpc.path[1:],
        "match": {"path": rpc.path},
        **_treatment(rpc, _hash_by_header(rpc)),
    }
    return [
        grpc,
        *(
            {
                "name": f"{rpc.path[1:]} as JSON",
                "match": _http_match(binding),
                **_treatment(rpc, _hash_by_path(rpc, binding)),
            }
            for binding in rpc.http
        ),
    ]


def _treatment(rpc: Rpc, hash_policy: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what holds for an RPC whichever way it is called."""
    action: dict[str, Any] = {"cluster": rpc.area, **_time_limit(rpc)}
    if rpc.streaming:
        action["idle_timeout"] = f"{BOUNDS.stream_idle_s}s"
    elif rpc.required_policy.idempotency in REPEATABLE:
        action["retry_policy"] = _retries()
    if hash_policy:
        action["hash_policy"] = hash_policy
    limited = rpc.required_policy.rate is not None
    return {
        **({"metadata": rate_limit_name(rpc)} if limited else {}),
        "route": action,
        "typed_per_filter_config": {"envoy.filters.http.jwt_authn": token_requirement(rpc)},
    }


def _time_limit(rpc: Rpc) -> dict[str, Any]:
    """Return the longest that a call may take at the gateway, retries included.

    A stream's duration rather than the route's timeout: it ends as DEADLINE_EXCEEDED in gRPC, where
    the timeout would say UNAVAILABLE and invite a retry.
    """
    timeout_ms = rpc.required_policy.timeout_ms
    if not timeout_ms:
        return {"timeout": "0s"}
    limit = f"{(timeout_ms + BOUNDS.timeout_margin_ms) / 1000:g}s"
    return {"timeout": "0s", "max_stream_duration": {"max_stream_duration": limit}}


def _retries() -> dict[str, Any]:
    """Return the retries of a call that may be repeated; each cluster's budget bounds them."""
    return {
        "retry_on": "connect-failure,refused-stream,unavailable",
        "num_retries": BOUNDS.retries_max,
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host"
                    ".previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": 3,
    }


def _hash_by_header(rpc: Rpc) -> list[dict[str, Any]]:
    if not rpc.required_policy.route_by:
        return []
    return [{"header": {"header_name": ROUTE_KEY_HEADER}}]


def _hash_by_path(rpc: Rpc, binding: HttpBinding) -> list[dict[str, Any]]:
    """Return the hash of the path's variable that the policy names, equal to the header's."""
    route_by = rpc.required_policy.route_by
    if not route_by:
        return []
    rewrite = {
        "pattern": {"regex": _path_regex(binding.path, captured=route_by) + r"(?:\?.*)?"},
        "substitution": r"\1",
    }
    return [{"header": {"header_name": ORIGINAL_PATH_HEADER, "regex_rewrite": rewrite}}]


def _http_match(binding: HttpBinding) -> dict[str, Any]:
    """Return the match of a path template and its method."""
    if PATH_VARIABLE.search(binding.path):
        path: dict[str, Any] = {"safe_regex": {"regex": _path_regex(binding.path)}}
    else:
        path = {"path": binding.path}
    method = {"name": ":method", "string_match": {"exact": binding.method}}
    return {**path, "headers": [method]}


def _path_regex(template: str, captured: str = "") -> str:
    """Return a path template as a regular expression; a captured variable is its group 1."""
    parts: list[str] = []
    end = 0
    for variable in PATH_VARIABLE.finditer(template):
        parts.append(re.escape(template[end : variable.start()]))
        parts.append(f"({SEGMENT})" if variable.group(1) == captured else SEGMENT)
        end = variable.end()
    return "".join([*parts, re.escape(template[end:])])


def _preflight() -> dict[str, Any]:
    """Return the route of a browser's question before a JSON call, which the CORS filter answers.

    The filter acts on routes with an upstream only; from other origins the page's server says no.
    """
    headers = [
        {"name": ":method", "string_match": {"exact": "OPTIONS"}},
        {"name": "access-control-request-method", "present_match": True},
    ]
    return {
        "name": "preflight",
        "match": {"prefix": "/", "headers": headers},
        "route": {"cluster": WEB_CLUSTER, "timeout": "1s"},
    }


def _refusals() -> list[dict[str, Any]]:
    """Return the answer to what is no RPC of ours: UNIMPLEMENTED, 404 to JSON clients."""
    unknown = {"direct_response": {"status": 404}}
    matches: list[dict[str, Any]] = [{"prefix": prefix} for prefix in API_PREFIXES]
    matches.append({"prefix": "/", "grpc": {}})
    return [{"match": match, **unknown} for match in matches]


def _page() -> dict[str, Any]:
    return {
        "name": "page",
        "match": {"prefix": "/"},
        "route": {"cluster": WEB_CLUSTER, "timeout": "15s"},
    }
