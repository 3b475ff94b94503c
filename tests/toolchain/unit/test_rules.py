"""Each rule finds its breach, in one line that names the RPC."""

from pathlib import Path

import pytest

from fakes.small_contract import FIELDS, GOOD_POLICY, shop
from fakes.source_tree import ROOT
from toolchain.contract_reader import read_contract
from toolchain.image import compile_image
from toolchain.rules import find_problems

BY_REQUEST_ID = GOOD_POLICY.replace("IDEMPOTENCY_NO", "IDEMPOTENCY_BY_REQUEST_ID")
REQUEST_ID = "string request_id = 3;"
REQUEST_ID_AS_UUID = "string request_id = 3 [(buf.validate.field).string.uuid = true];"
BID = f"message Bid {{ {REQUEST_ID_AS_UUID} }}"


def with_policy(old: str, new: str) -> str:
    assert old in GOOD_POLICY
    return GOOD_POLICY.replace(old, new)


def test_the_real_contracts_keep_every_rule() -> None:
    assert find_problems(read_contract(compile_image(ROOT / "protos"))) == []


def test_a_good_policy_has_no_problem(tmp_path: Path) -> None:
    assert find_problems(shop(tmp_path)) == []


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("", "has no policy option"),
        (with_policy("callers: CALLER_EDGE", ""), "names no callers"),
        (with_policy("CALLER_EDGE", "CALLER_UNSPECIFIED"), "names CALLER_UNSPECIFIED"),
        (GOOD_POLICY + "callers: CALLER_EDGE", "names a caller twice"),
        (with_policy("access: ACCESS_USER", ""), "has no access"),
        (with_policy("ACCESS_USER", "ACCESS_SERVICE"), "which the caller EDGE can never have"),
        (with_policy("timeout_ms: 2000", ""), "has no timeout_ms"),
        (with_policy("idempotency: IDEMPOTENCY_NO", ""), "has no idempotency"),
        (BY_REQUEST_ID, "its request has no request_id"),
        (GOOD_POLICY + "rate {per_second: 5 burst: 4}", "rate needs per_second above 0"),
        (GOOD_POLICY + "rate {burst: 4}", "rate needs per_second above 0"),
        (GOOD_POLICY + 'route_by: "nothing"', "'nothing', which is no field of its request"),
        (GOOD_POLICY + 'route_by: "count"', "'count', which is no string"),
    ],
)
def test_a_bad_policy_is_one_clear_line(tmp_path: Path, policy: str, problem: str) -> None:
    problems = find_problems(shop(tmp_path, policy=policy))
    assert len(problems) == 1
    assert problems[0].startswith("blytz.shop.v1.ShopService/Buy: ")
    assert problem in problems[0]


def test_a_request_id_must_be_a_uuid(tmp_path: Path) -> None:
    fields = FIELDS + REQUEST_ID
    (problem,) = find_problems(shop(tmp_path, policy=BY_REQUEST_ID, fields=fields))
    assert "its request_id is no string with the rule uuid" in problem
    fields = FIELDS + REQUEST_ID_AS_UUID
    assert find_problems(shop(tmp_path, policy=BY_REQUEST_ID, fields=fields)) == []


def test_a_stream_of_commands_may_carry_the_request_id_inside(tmp_path: Path) -> None:
    stream = {"takes": "stream ", "gives": "stream ", "fields": "Bid bid = 1;", "more": BID}
    assert find_problems(shop(tmp_path, policy=BY_REQUEST_ID, **stream)) == []
    stream["takes"] = stream["gives"] = ""
    (problem,) = find_problems(shop(tmp_path, policy=BY_REQUEST_ID, **stream))
    assert "its request has no request_id" in problem


def test_a_feed_has_no_timeout_and_no_key(tmp_path: Path) -> None:
    policy = GOOD_POLICY + 'route_by: "thing_id"'
    problems = find_problems(shop(tmp_path, name="WatchThing", gives="stream ", policy=policy))
    assert ["timeout_ms" in problem or "route_by" in problem for problem in problems] == [True] * 2
    endless = with_policy("timeout_ms: 2000", "timeout_ms: 0")
    feed = shop(tmp_path, name="WatchThing", gives="stream ", policy=endless)
    assert find_problems(feed) == []


def test_what_is_called_watch_something_is_a_feed(tmp_path: Path) -> None:
    problems = find_problems(shop(tmp_path, name="WatchThing"))
    assert any("is called Watch… and is no server stream" in problem for problem in problems)
    both = {"takes": "stream ", "gives": "stream "}
    endless = with_policy("timeout_ms: 2000", "timeout_ms: 0")
    (problem,) = find_problems(shop(tmp_path, name="WatchThing", policy=endless, **both))
    assert "is called Watch… and is no server stream" in problem


@pytest.mark.parametrize("name", ["WatchlistAdd", "Watches", "Watch", "Rewatch", "ListWatchThings"])
def test_another_word_that_begins_with_watch_is_no_feed(tmp_path: Path, name: str) -> None:
    assert find_problems(shop(tmp_path, name=name)) == []


CACHED = (
    GOOD_POLICY.replace("ACCESS_USER", "ACCESS_PUBLIC").replace("IDEMPOTENCY_NO", "IDEMPOTENCY_YES")
    + "cache_max_age_s: 5"
)
GET = 'get: "/v1/things/{thing_id}"'


def test_a_public_answer_that_may_be_asked_for_again_may_be_kept(tmp_path: Path) -> None:
    assert find_problems(shop(tmp_path, policy=CACHED, http=GET)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ACCESS_PUBLIC", "ACCESS_USER"),
        ("ACCESS_PUBLIC", "ACCESS_SELLER"),
        ("IDEMPOTENCY_YES", "IDEMPOTENCY_NO"),
    ],
)
def test_no_other_answer_may_be_kept(tmp_path: Path, old: str, new: str) -> None:
    assert old in CACHED
    (problem,) = find_problems(shop(tmp_path, policy=CACHED.replace(old, new), http=GET))
    assert "has cache_max_age_s and is no public unary call that may be repeated" in problem


def test_a_stream_is_not_kept(tmp_path: Path) -> None:
    (problem,) = find_problems(shop(tmp_path, policy=CACHED, http=GET, gives="stream "))
    assert "has cache_max_age_s and is no public unary call that may be repeated" in problem


@pytest.mark.parametrize("http", ["", 'post: "/v1/things/{thing_id}:buy" body: "*"'])
def test_what_nobody_can_get_is_not_kept(tmp_path: Path, http: str) -> None:
    (problem,) = find_problems(shop(tmp_path, policy=CACHED, http=http))
    assert "has cache_max_age_s and nobody can GET it" in problem


def test_a_path_names_fields_and_the_routing_key(tmp_path: Path) -> None:
    (problem,) = find_problems(shop(tmp_path, http='get: "/v1/things/{thing}"'))
    assert "{thing}" in problem
    policy = GOOD_POLICY + 'route_by: "thing_id"'
    (problem,) = find_problems(shop(tmp_path, policy=policy, http='get: "/v1/things"'))
    assert "is not in the path /v1/things" in problem


def test_a_service_call_has_no_http_binding(tmp_path: Path) -> None:
    policy = with_policy("ACCESS_USER", "ACCESS_SERVICE").replace("_EDGE", "_AUCTION")
    (problem,) = find_problems(shop(tmp_path, policy=policy, http='get: "/v1/things"'))
    assert "HTTP binding" in problem


def test_two_rpcs_cannot_share_an_http_binding(tmp_path: Path) -> None:
    rule = 'get: "/v1/things/{thing_id}" additional_bindings {get: "/v1/things/{thing_id}"}'
    (problem,) = find_problems(shop(tmp_path, http=rule))
    assert problem == "GET /v1/things/{}: 2 RPCs have this HTTP binding"
