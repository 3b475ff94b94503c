"""What a policy becomes at the gateway."""

import re
from pathlib import Path
from typing import Any

from fakes.small_contract import GOOD_POLICY, shop
from toolchain.envoy.bootstrap import bootstrap
from toolchain.envoy.local_replies import LOCAL_REPLIES, local_reply_config

BUY = "/blytz.shop.v1.ShopService/Buy"
JWT = "envoy.filters.http.jwt_authn"


def derived(root: Path, **parts: str) -> dict[str, Any]:
    return bootstrap(shop(root, **parts))


def manager(configuration: dict[str, Any]) -> dict[str, Any]:
    listener = configuration["static_resources"]["listeners"][0]
    settings: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return settings


def routes(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manager(configuration)["route_config"]["virtual_hosts"][0][
        "routes"
    ]
    return found


def route_to(configuration: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the route that Envoy would pick: the first that matches."""
    return next(route for route in routes(configuration) if _matches(route["match"], path))


def http_filter(configuration: dict[str, Any], name: str) -> dict[str, Any]:
    settings: dict[str, Any] = next(
        each["typed_config"]
        for each in manager(configuration)["http_filters"]
        if each["name"] == f"envoy.filters.http.{name}"
    )
    return settings


def cluster(configuration: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in configuration["static_resources"]["clusters"] if each["name"] == name
    )
    return found


def test_an_rpc_goes_to_its_area_within_its_time(tmp_path: Path) -> None:
    action = route_to(derived(tmp_path), BUY)["route"]
    assert action["cluster"] == "shop"
    assert action["max_stream_duration"] == {"max_stream_duration": "2.5s"}
    assert "retry_policy" not in action
    assert "hash_policy" not in action


def test_only_what_may_be_repeated_is_retried(tmp_path: Path) -> None:
    policy = GOOD_POLICY.replace("IDEMPOTENCY_NO", "IDEMPOTENCY_YES")
    retries = route_to(derived(tmp_path, policy=policy), BUY)["route"]["retry_policy"]
    assert retries["retry_on"] == "connect-failure,refused-stream,unavailable"
    assert retries["num_retries"] == 2
    stream = route_to(derived(tmp_path, policy=policy, gives="stream "), BUY)["route"]
    assert "retry_policy" not in stream


def test_a_feed_has_no_limit_but_idleness_and_many_at_once(tmp_path: Path) -> None:
    policy = GOOD_POLICY.replace("timeout_ms: 2000", "timeout_ms: 0")
    configuration = derived(tmp_path, policy=policy, name="WatchThing", gives="stream ")
    action = route_to(configuration, "/blytz.shop.v1.ShopService/WatchThing")["route"]
    assert action["timeout"] == "0s"
    assert action["idle_timeout"] == "300s"
    assert "max_stream_duration" not in action
    (threshold,) = cluster(configuration, "shop")["circuit_breakers"]["thresholds"]
    assert threshold["max_requests"] == 200_000
    assert cluster(configuration, "shop")["lb_policy"] == "LEAST_REQUEST"


def test_access_decides_what_the_token_check_asks(tmp_path: Path) -> None:
    def requirement(policy: str) -> str:
        name: str = route_to(derived(tmp_path, policy=policy), BUY)["typed_per_filter_config"][JWT][
            "requirement_name"
        ]
        return name

    assert requirement(GOOD_POLICY.replace("ACCESS_USER", "ACCESS_PUBLIC")) == "anyone"
    for access in ("ACCESS_USER", "ACCESS_SELLER", "ACCESS_MODERATOR", "ACCESS_ADMIN"):
        assert requirement(GOOD_POLICY.replace("ACCESS_USER", access)) == "person"


def test_what_the_edge_may_not_call_has_no_route(tmp_path: Path) -> None:
    inside = GOOD_POLICY.replace("CALLER_EDGE", "CALLER_AUCTION")
    service = inside.replace("ACCESS_USER", "ACCESS_SERVICE")
    for policy in (inside, service):
        configuration = derived(tmp_path, policy=policy)
        assert route_to(configuration, BUY)["direct_response"] == {"status": 404}
        assert http_filter(configuration, "grpc_json_transcoder")["services"] == []
        assert BUY[1:] not in str(routes(configuration))


def test_what_is_no_rpc_is_refused_and_the_rest_is_the_page(tmp_path: Path) -> None:
    configuration = derived(tmp_path)
    for path in ("/blytz.other.v1.Other/Call", "/grpc.reflection.v1.X/Y", "/v1/nothing"):
        assert route_to(configuration, path)["direct_response"] == {"status": 404}
    assert route_to(configuration, "/auctions/1")["route"]["cluster"] == "web"


def test_a_json_call_is_hashed_by_the_same_value_as_a_grpc_call(tmp_path: Path) -> None:
    policy = GOOD_POLICY + 'route_by: "thing_id"'
    rule = 'post: "/v1/shops.old/things/{thing_id}:buy" body: "*"'
    configuration = derived(tmp_path, policy=policy, http=rule)
    assert cluster(configuration, "shop")["lb_policy"] == "RING_HASH"
    (grpc_hash,) = route_to(configuration, BUY)["route"]["hash_policy"]
    assert grpc_hash == {"header": {"header_name": "x-route-key"}}
    path = "/v1/shops.old/things/abc-1:buy"
    route = route_to(configuration, path)
    assert route["match"]["headers"] == [{"name": ":method", "string_match": {"exact": "POST"}}]
    (json_hash,) = route["route"]["hash_policy"]
    rewrite = json_hash["header"]["regex_rewrite"]
    pattern = re.compile(rewrite["pattern"]["regex"])
    assert pattern.sub(rewrite["substitution"], f"{path}?count=2") == "abc-1"
    assert "direct_response" in route_to(configuration, "/v1/shopsXold/things/abc-1:buy")
    assert "direct_response" in route_to(configuration, "/v1/shops.old/things/a/b:buy")


def test_a_rate_is_a_bucket_a_person_or_an_address(tmp_path: Path) -> None:
    policy = GOOD_POLICY + "rate {per_second: 2 burst: 3}"
    configuration = derived(tmp_path, policy=policy, http='get: "/v1/buy"')
    bucket = {"max_tokens": 3, "tokens_per_fill": 2, "fill_interval": "1s"}
    name = {"key": "rpc", "value": BUY[1:]}
    assert http_filter(configuration, "local_ratelimit")["descriptors"] == [
        {"entries": [name, {"key": "user"}], "token_bucket": bucket},
        {
            "entries": [name, {"key": "caller", "value": "anonymous"}, {"key": "remote_address"}],
            "token_bucket": bucket,
        },
    ]
    mark = {"filter_metadata": {"blytz": {"rpc": BUY[1:]}}}
    assert [route_to(configuration, path)["metadata"] for path in (BUY, "/v1/buy")] == [mark] * 2


def test_an_rpc_without_a_rate_is_not_counted(tmp_path: Path) -> None:
    configuration = derived(tmp_path)
    assert http_filter(configuration, "local_ratelimit")["descriptors"] == []
    assert "metadata" not in route_to(configuration, BUY)


def test_an_upstream_must_prove_that_it_is_the_area(tmp_path: Path) -> None:
    tls = cluster(derived(tmp_path), "shop")["transport_socket"]["typed_config"]
    assert tls["sni"] == "shop.blytz.internal"
    context = tls["common_tls_context"]
    assert context["validation_context"]["match_typed_subject_alt_names"] == [
        {"san_type": "URI", "matcher": {"exact": "spiffe://blytz.live/shop"}}
    ]


def test_what_means_more_stands_before_what_means_less() -> None:
    """The first mapper that matches holds: a reply without a cause would hide those after it."""
    seen: set[int] = set()
    for reply in LOCAL_REPLIES:
        assert reply.http_status not in seen
        if not reply.cause:
            seen.add(reply.http_status)
    assert len(local_reply_config()["mappers"]) >= 2 * len(LOCAL_REPLIES)


def _matches(match: dict[str, Any], path: str) -> bool:
    """Match a path as Envoy does; a page's call is neither gRPC nor a preflight."""
    if "grpc" in match or any(
        each["name"] == "access-control-request-method" for each in match.get("headers", [])
    ):
        return False
    if "path" in match:
        return bool(match["path"] == path)
    if "safe_regex" in match:
        return re.fullmatch(match["safe_regex"]["regex"], path) is not None
    return path.startswith(match["prefix"])
