"""Who gets through the gateway, and what nobody can smuggle past it."""

import time
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from fakes.edge_calls import call, http
from fakes.gateway import PAGE, Gateway, running_gateway
from fakes.source_tree import ROOT
from fakes.token_mint import handmade, right_claims
from toolchain.contract_reader import read_contract
from toolchain.image import compile_image

AUCTIONS = "/blytz.auction.v1.AuctionService"
PLACE_BID = f"{AUCTIONS}/PlaceBid"
LIST_AUCTIONS = f"{AUCTIONS}/ListAuctions"
SETTLE_WIN = "/blytz.payment.v1.WalletService/SettleWin"
CONTRACT = read_contract(compile_image(ROOT / "protos"))
Unary = [rpc for rpc in CONTRACT.rpcs if not rpc.streaming and rpc.public_at_edge]


@pytest.mark.parametrize(
    "path", [rpc.path for rpc in Unary if rpc.required_policy.access != "PUBLIC"]
)
def test_without_a_token_nothing_but_the_public_is_reached(gateway: Gateway, path: str) -> None:
    with gateway.channel() as channel:
        outcome = call(channel, path)
    assert outcome.code is grpc.StatusCode.UNAUTHENTICATED
    assert outcome.message == "The call needs an access token."
    assert outcome.reason == "TOKEN_MISSING"


def test_a_good_token_gets_through_and_so_does_none_where_it_is_public(gateway: Gateway) -> None:
    with gateway.channel() as channel:
        assert call(channel, PLACE_BID, gateway.bearer(str(uuid4()))).code is grpc.StatusCode.OK
        assert call(channel, LIST_AUCTIONS).code is grpc.StatusCode.OK


def test_a_bad_token_is_refused_even_where_none_is_needed(gateway: Gateway) -> None:
    user, now_s = str(uuid4()), int(time.time())
    header = {"alg": "none", "typ": "at+jwt", "kid": "first"}
    claims = right_claims() | {"iss": "https://blytz.live", "aud": "blytz", "exp": now_s + 900}
    forged = [
        "abc",
        handmade(header, claims),
        handmade(header | {"alg": "HS256"}, claims, secret=gateway.mint.public_pem()),
        gateway.token(user, iss="https://elsewhere.test"),
        gateway.token(user, aud="somebody-else"),
        gateway.token(user, nbf=now_s + 600),
        gateway.token(user)[:-8] + "AAAAAAAA",
    ]
    with gateway.channel() as channel:
        for token in forged:
            for path in (PLACE_BID, LIST_AUCTIONS):
                outcome = call(channel, path, ("authorization", f"Bearer {token}"))
                assert outcome.code is grpc.StatusCode.UNAUTHENTICATED, token
                assert outcome.reason == "TOKEN_INVALID", token
        expired = call(channel, PLACE_BID, gateway.bearer(user, exp=now_s - 60))
    assert expired.code is grpc.StatusCode.UNAUTHENTICATED
    assert expired.reason == "TOKEN_EXPIRED"


def test_what_services_call_cannot_be_reached_from_outside(gateway: Gateway) -> None:
    inside = [rpc.path for rpc in CONTRACT.rpcs if not rpc.public_at_edge]
    assert SETTLE_WIN in inside
    reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    with gateway.channel() as channel:
        for path in (*inside, reflection, "/grpc.health.v1.Health/Check", "/other.Service/Call"):
            outcome = call(channel, path, gateway.bearer(str(uuid4())))
            assert outcome.code is grpc.StatusCode.UNIMPLEMENTED, path
            assert outcome.reason == "UNKNOWN_METHOD"
    assert [seen.path for seen in gateway.take_seen("payment")] == []


def test_forged_identity_headers_are_stripped(gateway: Gateway) -> None:
    forged = (
        ("x-blytz-user", "somebody-else"),
        ("x-blytz-caller", "payment"),
        ("x-forwarded-client-cert", "By=x;URI=spiffe://blytz.live/payment"),
        ("x-envoy-original-path", "/v1/auctions/1"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-internal", "true"),
    )
    gateway.take_seen("auction")
    with gateway.channel() as channel:
        assert call(channel, PLACE_BID, gateway.bearer("ada"), *forged).code is grpc.StatusCode.OK
        assert call(channel, LIST_AUCTIONS, *forged).code is grpc.StatusCode.OK
    metadata = {seen.path: seen.metadata for seen in gateway.take_seen("auction")}
    for path in (PLACE_BID, LIST_AUCTIONS):
        assert not {name for name, _ in forged} & set(metadata[path])
    assert metadata[PLACE_BID]["authorization"].startswith("Bearer ")


def test_paths_that_two_parsers_read_differently_are_refused(gateway: Gateway) -> None:
    gateway.take_seen("auction")
    assert http(gateway, "GET", "/v1%2fauctions").status == 400
    assert http(gateway, "GET", "/v1/auctions%5Cx").status == 400
    assert http(gateway, "GET", "/v1/auctions", ("x_blytz_user", "ada")).status == 400
    assert http(gateway, "GET", "/page/../v1//auctions").status == 200
    assert [seen.path for seen in gateway.take_seen("auction")] == [LIST_AUCTIONS]


def test_everything_else_is_the_page(gateway: Gateway) -> None:
    assert http(gateway, "GET", "/auctions/1").body == PAGE


def test_an_upstream_that_is_another_workload_is_not_trusted(tmp_path: Path) -> None:
    """A certificate of the mesh is not enough, it must be the area's own."""
    with (
        running_gateway(tmp_path, certificate_owners={"auction": "realtime"}) as gateway,
        gateway.channel() as channel,
    ):
        outcome = call(channel, LIST_AUCTIONS)
        assert outcome.code is grpc.StatusCode.UNAVAILABLE
        assert (outcome.reason, outcome.retry_after_s) == ("DEPENDENCY_UNAVAILABLE", 1)
        assert gateway.take_seen("auction") == []
