"""The upstreams of the gateway: one cluster an area, the page, and the gateway's own key set."""

from typing import Any

from toolchain.contract import Contract
from toolchain.envoy.parameters import (
    BOUNDS,
    KEY_SET_CLUSTER,
    KEY_SET_PORT,
    LOOPBACK,
    MESH_DNS_SUFFIX,
    SERVICE_PORT,
    TLS_FOLDER,
    TRUST_DOMAIN,
    TYPE,
    WEB_CLUSTER,
    WEB_HOST,
    WEB_PORT,
)


def clusters(contract: Contract) -> list[dict[str, Any]]:
    """Return every upstream."""
    areas = sorted({rpc.area for rpc in contract.rpcs if rpc.public_at_edge})
    return [*(_service(contract, area) for area in areas), _web(), _key_set()]


def _service(contract: Contract, area: str) -> dict[str, Any]:
    """Return the cluster of an area's service, reached over mTLS as gRPC."""
    rpcs = [rpc for rpc in contract.rpcs if rpc.area == area and rpc.public_at_edge]
    hashed = any(rpc.required_policy.route_by for rpc in rpcs)
    feeds = any(rpc.required_policy.timeout_ms == 0 and not rpc.client_streaming for rpc in rpcs)
    open_max = BOUNDS.feeds_open_max if feeds else BOUNDS.calls_open_max
    return {
        "name": area,
        **_resolved(area, f"svc-{area}", SERVICE_PORT),
        "lb_policy": "RING_HASH" if hashed else "LEAST_REQUEST",
        "circuit_breakers": _circuit_breakers(open_max),
        # A host that cannot be reached is left out for a while. One that answers UNAVAILABLE is
        # not: a shard of it may be away while the others serve.
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 3,
            "enforcing_consecutive_5xx": 0,
            "enforcing_consecutive_gateway_failure": 0,
            "enforcing_success_rate": 0,
            "interval": "2s",
            "base_ejection_time": "5s",
            "max_ejection_percent": 50,
        },
        "transport_socket": _mesh_tls(area),
        "typed_extension_protocol_options": _protocol(
            {
                "explicit_http_config": {
                    "http2_protocol_options": {
                        "initial_stream_window_size": BOUNDS.stream_window_bytes,
                        "initial_connection_window_size": BOUNDS.connection_window_bytes,
                        "connection_keepalive": {
                            "interval": f"{BOUNDS.upstream_ping_interval_s}s",
                            "timeout": f"{BOUNDS.upstream_ping_timeout_s}s",
                        },
                    }
                }
            }
        ),
    }


def _web() -> dict[str, Any]:
    """Return the cluster of the static page."""
    return {
        "name": WEB_CLUSTER,
        **_resolved(WEB_CLUSTER, WEB_HOST, WEB_PORT),
        "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": _circuit_breakers(BOUNDS.calls_open_max),
        "typed_extension_protocol_options": _protocol(
            {"explicit_http_config": {"http_protocol_options": {}}}
        ),
    }


def _key_set() -> dict[str, Any]:
    """Return the way to the gateway's own loopback listener, which transcodes the key set."""
    return {
        "name": KEY_SET_CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": _assignment(KEY_SET_CLUSTER, LOOPBACK, KEY_SET_PORT),
    }


def _resolved(name: str, host: str, port: int) -> dict[str, Any]:
    return {
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "1s",
        "per_connection_buffer_limit_bytes": BOUNDS.connection_buffer_bytes,
        "load_assignment": _assignment(name, host, port),
    }


def _assignment(name: str, host: str, port: int) -> dict[str, Any]:
    address = {"socket_address": {"address": host, "port_value": port}}
    return {
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
    }


def _circuit_breakers(open_max: int) -> dict[str, Any]:
    """Return what a cluster takes at once; more is refused, not queued without end."""
    return {
        "thresholds": [
            {
                "priority": "DEFAULT",
                "max_connections": BOUNDS.calls_open_max,
                "max_requests": open_max,
                "max_pending_requests": open_max,
                "retry_budget": {
                    "budget_percent": {"value": 20},
                    "min_retry_concurrency": 5,
                },
            }
        ]
    }


def _mesh_tls(area: str) -> dict[str, Any]:
    """Return mutual TLS with the mesh's authority; the peer must be this area's workload."""
    identity = {"exact": f"spiffe://{TRUST_DOMAIN}/{area}"}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": f"{area}.{MESH_DNS_SUFFIX}",
            "common_tls_context": {
                "alpn_protocols": ["h2"],
                # Envoy's own highest version towards upstreams is 1.2, unless told.
                "tls_params": {
                    "tls_minimum_protocol_version": "TLSv1_3",
                    "tls_maximum_protocol_version": "TLSv1_3",
                },
                "tls_certificates": [
                    {
                        "certificate_chain": {"filename": f"{TLS_FOLDER}/cert.pem"},
                        "private_key": {"filename": f"{TLS_FOLDER}/key.pem"},
                    }
                ],
                "validation_context": {
                    "trusted_ca": {"filename": f"{TLS_FOLDER}/ca.pem"},
                    "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": identity}],
                },
            },
        },
    }


def _protocol(options: dict[str, Any]) -> dict[str, Any]:
    name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {name: {"@type": f"type.googleapis.com/{name}", **options}}
