"""The gateway's two listeners: the public one, and a loopback one that serves the key set."""

from typing import Any

from toolchain.contract import Contract
from toolchain.envoy.filters import public_filters, router, transcoder
from toolchain.envoy.local_replies import ACCESS_LOG, local_reply_config
from toolchain.envoy.parameters import BOUNDS, KEY_SET_PORT, LOOPBACK, PUBLIC_PORT, TYPE
from toolchain.envoy.routes import key_set_routes, public_routes

MUTATION = f"{TYPE}.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
FORGEABLE_PREFIXES = ("x-blytz-", "x-envoy-")
FORGEABLE_HEADERS = ("x-forwarded-client-cert",)
LOGGED_HTTP_STATUS_MIN = 400


def public_listener(contract: Contract) -> dict[str, Any]:
    """Return the listener for gRPC, gRPC-Web, JSON and the page, over HTTP/1.1 and h2c."""
    manager = {
        **_connection_manager("edge"),
        **_client_identity(),
        "access_log": _access_log(),
        "local_reply_config": local_reply_config(),
        "http2_protocol_options": {
            "max_concurrent_streams": BOUNDS.streams_per_connection_max,
            "initial_stream_window_size": BOUNDS.stream_window_bytes,
            "initial_connection_window_size": BOUNDS.connection_window_bytes,
            "connection_keepalive": {
                "interval": f"{BOUNDS.client_ping_interval_s}s",
                "timeout": f"{BOUNDS.client_ping_timeout_s}s",
            },
        },
        "route_config": public_routes(contract),
        "http_filters": public_filters(contract),
    }
    # All interfaces: the gateway is what the outside reaches.
    return _listener("public", "0.0.0.0", PUBLIC_PORT, manager)  # noqa: S104


def key_set_listener(contract: Contract) -> dict[str, Any]:
    """Return the listener through which the token check fetches the keys, over plain HTTP."""
    manager = {
        **_connection_manager("key_set"),
        "route_config": key_set_routes(contract),
        "http_filters": [transcoder(contract), router()],
    }
    return _listener("key_set", LOOPBACK, KEY_SET_PORT, manager)


def _listener(name: str, address: str, port: int, manager: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "address": {"socket_address": {"address": address, "port_value": port}},
        "per_connection_buffer_limit_bytes": BOUNDS.connection_buffer_bytes,
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": manager,
                    }
                ]
            }
        ],
    }


def _connection_manager(name: str) -> dict[str, Any]:
    """Return what both listeners have: bounds, and no path that two parsers read differently."""
    return {
        "@type": f"{TYPE}.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "AUTO",
        "server_name": "blytz",
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "max_request_headers_kb": BOUNDS.header_kib_max,
        "request_headers_timeout": f"{BOUNDS.headers_timeout_s}s",
        "stream_idle_timeout": f"{BOUNDS.stream_idle_s}s",
        "common_http_protocol_options": {
            "idle_timeout": f"{BOUNDS.connection_idle_s}s",
            "max_headers_count": BOUNDS.header_count_max,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
    }


def _client_identity() -> dict[str, Any]:
    """Return how the outside is known: by its address alone, never by a header that it sends."""
    removals: list[dict[str, Any]] = [
        {"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}}
        for prefix in FORGEABLE_PREFIXES
    ]
    removals += [{"remove": header} for header in FORGEABLE_HEADERS]
    return {
        "use_remote_address": True,
        # Nobody is inside: without a range, every private address would be.
        "internal_address_config": {
            "cidr_ranges": [{"address_prefix": "0.0.0.0", "prefix_len": 32}]  # noqa: S104
        },
        "forward_client_cert_details": "SANITIZE",
        "early_header_mutation_extensions": [
            {
                "name": "envoy.http.early_header_mutation.header_mutation",
                "typed_config": {"@type": MUTATION, "mutations": removals},
            }
        ],
    }


def _access_log() -> list[dict[str, Any]]:
    """Return a JSON line for each call that failed; no query, no header of the caller's."""
    status = {"default_value": LOGGED_HTTP_STATUS_MIN, "runtime_key": "access_log.status_min"}
    failures = [
        {"status_code_filter": {"comparison": {"op": "GE", "value": status}}},
        {"grpc_status_filter": {"statuses": ["UNKNOWN", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"]}},
    ]
    line = {
        "time": "%START_TIME%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "method": "%REQ(:METHOD)%",
        "path": "%PATH(NQ:ORIG_OR_PATH)%",
        "status": "%RESPONSE_CODE%",
        "grpc_status": "%GRPC_STATUS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "duration_ms": "%DURATION%",
        "upstream": "%UPSTREAM_CLUSTER%",
    }
    return [
        {
            "name": "failures",
            "filter": {"or_filter": {"filters": failures}},
            "typed_config": {
                "@type": f"{ACCESS_LOG}.stream.v3.StdoutAccessLog",
                "log_format": {"json_format": line},
            },
        }
    ]
