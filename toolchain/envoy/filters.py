"""The HTTP filters of the gateway, in the order in which they see a call."""

from typing import Any

from toolchain.contract import Contract, Rpc
from toolchain.envoy.parameters import (
    AUDIENCE,
    BOUNDS,
    DESCRIPTORS_PATH,
    DEVELOPMENT_ORIGINS,
    ISSUER,
    KEY_SET_CLUSTER,
    KEY_SET_PATH,
    ROUTE_KEY_HEADER,
    TYPE,
    USER_HEADER,
)

HTTP_FILTERS = f"{TYPE}.extensions.filters.http"
PROVIDER = "blytz"
PERSON, ANYONE = "person", "anyone"
RPC_KEY, USER_KEY, CALLER_KEY, ADDRESS_KEY = "rpc", "user", "caller", "remote_address"
ANONYMOUS = "anonymous"
METADATA = "blytz"
ALLOWED_HEADERS = (
    "authorization",
    "content-type",
    "x-grpc-web",
    "x-user-agent",
    "grpc-timeout",
    ROUTE_KEY_HEADER,
    "connect-protocol-version",
    "connect-timeout-ms",
    "traceparent",
)
EXPOSED_HEADERS = ("grpc-status", "grpc-message", "grpc-status-details-bin", "retry-after")


def public_filters(contract: Contract) -> list[dict[str, Any]]:
    """Return the filters of the public listener."""
    return [
        _filter("cors", f"{HTTP_FILTERS}.cors.v3.Cors"),
        _filter("grpc_web", f"{HTTP_FILTERS}.grpc_web.v3.GrpcWeb"),
        _token_check(),
        _rate_limits(contract),
        transcoder(contract),
        _call_statistics(contract),
        router(),
    ]


def transcoder(contract: Contract) -> dict[str, Any]:
    """Return the filter that turns JSON over HTTP into gRPC and back."""
    services = {rpc.service for rpc in contract.rpcs if rpc.http and rpc.public_at_edge}
    return _filter(
        "grpc_json_transcoder",
        f"{HTTP_FILTERS}.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor=DESCRIPTORS_PATH,
        services=sorted(services),
        auto_mapping=False,
        convert_grpc_status=True,
        match_incoming_request_route=True,
        query_param_unescape_plus=True,
        request_validation_options={"reject_unknown_query_parameters": True},
        print_options={
            "always_print_primitive_fields": True,
            "always_print_enums_as_ints": False,
            "preserve_proto_field_names": False,
            "stream_newline_delimited": True,
        },
    )


def router() -> dict[str, Any]:
    """Return the filter that sends a call on its way."""
    return _filter("router", f"{HTTP_FILTERS}.router.v3.Router")


def token_requirement(rpc: Rpc) -> dict[str, Any]:
    """Return what the token check asks of an RPC's caller; the service checks roles itself."""
    public = rpc.required_policy.access == "PUBLIC"
    return {
        "@type": f"{HTTP_FILTERS}.jwt_authn.v3.PerRouteConfig",
        "requirement_name": ANYONE if public else PERSON,
    }


def allowed_origins() -> dict[str, Any]:
    """Return the page origins, beside the gateway's own, that a browser may call from."""
    return {
        "@type": f"{HTTP_FILTERS}.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"safe_regex": {"regex": DEVELOPMENT_ORIGINS}}],
        "allow_methods": "GET,POST,PUT,PATCH,DELETE,OPTIONS",
        "allow_headers": ",".join(ALLOWED_HEADERS),
        "expose_headers": ",".join(EXPOSED_HEADERS),
        "max_age": "600",
    }


def rate_limit_name(rpc: Rpc) -> dict[str, Any]:
    """Return a route's mark that its calls count against the RPC's rate, by whatever way."""
    return {"filter_metadata": {METADATA: {RPC_KEY: rpc.path[1:]}}}


def _token_check() -> dict[str, Any]:
    """Return the check of access tokens; a token that is there must be good, always."""
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "forward": True,
        "require_expiration": True,
        "clock_skew_seconds": 5,
        "claim_to_headers": [{"claim_name": "sub", "header_name": USER_HEADER}],
        "jwt_cache_config": {"jwt_cache_size": 10_000},
        "remote_jwks": {
            "http_uri": {
                "uri": f"http://{KEY_SET_CLUSTER}{KEY_SET_PATH}",
                "cluster": KEY_SET_CLUSTER,
                "timeout": "2s",
            },
            "cache_duration": "60s",
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "0.25s"},
        },
    }
    person = {"provider_name": PROVIDER}
    return _filter(
        "jwt_authn",
        f"{HTTP_FILTERS}.jwt_authn.v3.JwtAuthentication",
        providers={PROVIDER: provider},
        bypass_cors_preflight=True,
        requirement_map={
            PERSON: person,
            ANYONE: {"requires_any": {"requirements": [person, {"allow_missing": {}}]}},
        },
    )


def _rate_limits(contract: Contract) -> dict[str, Any]:
    """Return one bucket a person, or a client address, for each RPC that has a rate."""
    descriptors: list[dict[str, Any]] = []
    for rpc in contract.rpcs:
        rate = rpc.required_policy.rate
        if rate is None or not rpc.public_at_edge:
            continue
        bucket = {
            "max_tokens": rate.burst,
            "tokens_per_fill": rate.per_second,
            "fill_interval": "1s",
        }
        name = {"key": RPC_KEY, "value": rpc.path[1:]}
        # An entry without a value is a bucket for each value that turns up.
        person = [{"key": USER_KEY}]
        address = [{"key": CALLER_KEY, "value": ANONYMOUS}, {"key": ADDRESS_KEY}]
        descriptors.extend(
            {"entries": [name, *caller], "token_bucket": bucket} for caller in (person, address)
        )
    name_of_route = {
        "metadata": {
            "descriptor_key": RPC_KEY,
            "metadata_key": {"key": METADATA, "path": [{"key": RPC_KEY}]},
            "source": "ROUTE_ENTRY",
        }
    }
    signed_in = {"request_headers": {"header_name": USER_HEADER, "descriptor_key": USER_KEY}}
    anonymous = {
        "header_value_match": {
            "descriptor_key": CALLER_KEY,
            "descriptor_value": ANONYMOUS,
            "expect_match": False,
            "headers": [{"name": USER_HEADER, "present_match": True}],
        }
    }
    always = {"numerator": 100, "denominator": "HUNDRED"}
    return _filter(
        "local_ratelimit",
        f"{HTTP_FILTERS}.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="rate_limit",
        filter_enabled={"runtime_key": "rate_limit.enabled", "default_value": always},
        filter_enforced={"runtime_key": "rate_limit.enforced", "default_value": always},
        rate_limited_as_resource_exhausted=True,
        always_consume_default_token_bucket=False,
        max_dynamic_descriptors=BOUNDS.rate_limited_callers_max,
        rate_limits=[
            {"actions": [name_of_route, signed_in]},
            {"actions": [name_of_route, anonymous, {"remote_address": {}}]},
        ],
        descriptors=descriptors,
    )


def _call_statistics(contract: Contract) -> dict[str, Any]:
    """Return the counters a method, for dashboards; only our own methods are counted."""
    services: dict[str, list[str]] = {}
    for rpc in contract.rpcs:
        if rpc.public_at_edge:
            services.setdefault(rpc.service, []).append(rpc.name)
    return _filter(
        "grpc_stats",
        f"{HTTP_FILTERS}.grpc_stats.v3.FilterConfig",
        individual_method_stats_allowlist={
            "services": [
                {"name": name, "method_names": sorted(methods)}
                for name, methods in sorted(services.items())
            ]
        },
        enable_upstream_stats=True,
    )


def _filter(name: str, type_url: str, **settings: Any) -> dict[str, Any]:
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": type_url, **settings},
    }
