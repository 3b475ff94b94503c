"""What becomes of calls at the gateway: JSON, gRPC-Web, time, rates, retries, the same replica."""

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from threading import Event
from uuid import uuid4

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.any_pb2 import Any as Packed
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from fakes.edge_calls import call, http
from fakes.gateway import Gateway

AUCTIONS = "/blytz.auction.v1.AuctionService"
DEPOSITS = "/blytz.payment.v1.WalletService/CreateDeposit"
WALLET = "/blytz.payment.v1.WalletService/GetWallet"
GRPC_WEB = (("content-type", "application/grpc-web+proto"), ("x-grpc-web", "1"))
EMPTY_FRAME = b"\0\0\0\0\0"
DEPOSIT_BURST = 10
WATCH = "/blytz.realtime.v1.RealtimeService/WatchAuction"
RECOVERED, RECONNECT = b"\x28\x01", b"\x30\x01"


def test_json_is_transcoded_both_ways(gateway: Gateway) -> None:
    answer = http(gateway, "GET", "/v1/auctions?pageSize=3")
    assert (answer.status, answer.json) == (200, {"auctions": [], "nextPageToken": ""})
    (seen,) = gateway.take_seen("auction")
    assert (seen.path, seen.request) == (f"{AUCTIONS}/ListAuctions", b"\x18\x03")
    keys = http(gateway, "GET", "/.well-known/jwks.json")
    assert keys.json["keys"][0]["kid"] == "first"


def test_json_clients_get_our_errors_as_json(gateway: Gateway) -> None:
    missing = http(gateway, "GET", "/v1/me")
    assert (missing.status, missing.json["code"], missing.reason) == (401, 16, "TOKEN_MISSING")
    unknown = http(gateway, "GET", "/v1/nothing")
    assert (unknown.status, unknown.reason) == (404, "UNKNOWN_METHOD")
    field = http(gateway, "GET", "/v1/auctions?nothing=1")
    assert (field.status, field.reason) == (400, "INVALID_REQUEST")
    assert "nothing" in field.json["message"]
    method = http(gateway, "DELETE", "/v1/auctions")
    assert (method.status, method.reason) == (404, "UNKNOWN_METHOD")


def test_a_services_own_error_reaches_json_clients_with_its_reason(gateway: Gateway) -> None:
    refusal = Status(code=9, message="Too low.")
    packed = Packed()
    packed.Pack(ErrorInfo(reason="BID_TOO_LOW", domain="blytz.live"))
    refusal.details.append(packed)

    def refuse(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        details = ("grpc-status-details-bin", refusal.SerializeToString())
        context.set_trailing_metadata((details,))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "Too low.")
        yield b""

    with gateway.answering("auction", f"{AUCTIONS}/StartAuction", refuse):
        path = f"/v1/auctions/{uuid4()}:start"
        answer = http(gateway, "POST", path, gateway.bearer("ada"), body=b"{}")
    assert (answer.status, answer.reason, answer.json["code"]) == (400, "BID_TOO_LOW", 9)


def test_a_browsers_client_gets_status_and_details(gateway: Gateway) -> None:
    """HTTP 200 with the status in the headers: a client believes an HTTP error before it."""
    answer = http(gateway, "POST", f"{AUCTIONS}/PlaceBid", *GRPC_WEB, body=EMPTY_FRAME)
    assert (answer.status, answer.headers["grpc-status"]) == (200, "16")
    assert answer.headers["content-type"].startswith("application/grpc-web")
    padded = answer.headers["grpc-status-details-bin"] + "=="
    assert b"TOKEN_MISSING" in base64.b64decode(padded)
    bearer = gateway.bearer("ada")
    good = http(gateway, "POST", f"{AUCTIONS}/PlaceBid", *GRPC_WEB, bearer, body=EMPTY_FRAME)
    assert good.status == 200
    assert b"grpc-status:0" in good.body


def test_browsers_and_caches_are_told_what_they_may_keep(gateway: Gateway) -> None:
    """A service says it in gRPC's metadata: over HTTP it is the header."""

    def answer(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        known = dict(context.invocation_metadata())
        kept = "private, no-store" if "authorization" in known else "public, max-age=1"
        context.send_initial_metadata((("cache-control", kept),))
        yield b""

    bearer = gateway.bearer("ada")
    path = f"/v1/auctions/{uuid4()}"
    with gateway.answering("auction", f"{AUCTIONS}/GetAuction", answer):
        answers = {
            "public, max-age=1": [
                http(gateway, "GET", path),
                http(gateway, "POST", f"{AUCTIONS}/GetAuction", *GRPC_WEB, body=EMPTY_FRAME),
            ],
            "private, no-store": [
                http(gateway, "GET", path, bearer),
                http(
                    gateway, "POST", f"{AUCTIONS}/GetAuction", *GRPC_WEB, bearer, body=EMPTY_FRAME
                ),
            ],
        }
    for kept, given in answers.items():
        for each in given:
            assert (each.status, each.headers["cache-control"]) == (200, kept)
    assert "cache-control" not in http(gateway, "GET", "/v1/auctions").headers


def test_a_development_page_may_call_and_a_strange_one_may_not(gateway: Gateway) -> None:
    asked = ("access-control-request-method", "POST")
    for path in (f"{AUCTIONS}/PlaceBid", "/v1/wallet/deposits"):
        ours = http(gateway, "OPTIONS", path, ("origin", "http://localhost:5173"), asked)
        assert ours.headers["access-control-allow-origin"] == "http://localhost:5173"
        assert "x-route-key" in ours.headers["access-control-allow-headers"]
        assert "grpc-status-details-bin" in ours.headers["access-control-expose-headers"]
        strange = http(gateway, "OPTIONS", path, ("origin", "http://localhost.evil.test"), asked)
        assert "access-control-allow-origin" not in strange.headers


def test_one_auctions_calls_meet_in_one_replica_however_they_come(gateway: Gateway) -> None:
    gateway.take_seen("auction")
    homes = set()
    with gateway.channel() as channel:
        for auction_id in [str(uuid4()) for _ in range(12)]:
            call(channel, f"{AUCTIONS}/GetAuction", ("x-route-key", auction_id))
            http(gateway, "GET", f"/v1/auctions/{auction_id}")
            http(gateway, "GET", f"/v1/auctions/{auction_id}/bids?pageSize=3")
            ports = [seen.port for seen in gateway.take_seen("auction")]
            assert len(ports) == 3
            assert len(set(ports)) == 1
            homes.update(ports)
    assert len(homes) > 1


def test_who_is_too_fast_is_held_back_and_nobody_else(gateway: Gateway) -> None:
    fast, other = gateway.bearer("fast"), gateway.bearer("other")
    with gateway.channel() as channel:
        outcomes = [call(channel, DEPOSITS, fast) for _ in range(DEPOSIT_BURST * 3)]
        codes = Counter(outcome.code for outcome in outcomes)
        assert codes[grpc.StatusCode.OK] >= DEPOSIT_BURST
        assert codes[grpc.StatusCode.RESOURCE_EXHAUSTED] >= DEPOSIT_BURST
        refused = next(each for each in outcomes if each.code is not grpc.StatusCode.OK)
        assert (refused.reason, refused.retry_after_s) == ("RATE_LIMITED", 1)
        # The other way in counts against the same bucket; another RPC and person do not.
        answers = [http(gateway, "POST", "/v1/wallet/deposits", fast, body=b"{}") for _ in range(5)]
        limited = next(answer for answer in answers if answer.status != 200)
        assert (limited.status, limited.reason) == (429, "RATE_LIMITED")
        assert limited.headers["retry-after"] == "1"
        assert call(channel, WALLET, fast).code is grpc.StatusCode.OK
        codes = Counter(call(channel, DEPOSITS, other).code for _ in range(DEPOSIT_BURST))
        assert codes == {grpc.StatusCode.OK: DEPOSIT_BURST}


def test_a_call_that_takes_too_long_ends_just_after_the_contracts_time(gateway: Gateway) -> None:
    """The gateway's end and the deadline that it passes on are one; whoever is first says so."""

    def sleep(_request: bytes, _context: grpc.ServicerContext) -> Iterator[bytes]:
        time.sleep(4)
        yield b""

    started_s = time.monotonic()
    with (
        gateway.answering("auction", f"{AUCTIONS}/CancelAuction", sleep),
        gateway.channel() as channel,
    ):
        outcome = call(channel, f"{AUCTIONS}/CancelAuction", gateway.bearer("ada"))
    assert outcome.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert 2.0 < time.monotonic() - started_s < 3.0


def test_only_what_may_be_repeated_is_tried_again(gateway: Gateway) -> None:
    def away(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.abort(grpc.StatusCode.UNAVAILABLE, "Away.")
        yield b""

    gateway.take_seen("auction")
    bearer = gateway.bearer(str(uuid4()))
    with gateway.channel() as channel:
        for rpc, tries in (("ListAuctions", 3), ("PlaceBid", 3), ("StartAuction", 1)):
            with gateway.answering("auction", f"{AUCTIONS}/{rpc}", away):
                outcome = call(channel, f"{AUCTIONS}/{rpc}", bearer)
            assert outcome.code is grpc.StatusCode.UNAVAILABLE
            assert len(gateway.take_seen("auction")) == tries, rpc


def test_a_feed_flows_frame_by_frame(gateway: Gateway) -> None:
    """The second frame is made after the first has arrived; JSON clients get one a line."""
    first_arrived = Event()

    def watch(_request: bytes, _context: grpc.ServicerContext) -> Iterator[bytes]:
        yield RECOVERED
        if first_arrived.wait(timeout=10):
            yield RECONNECT

    with gateway.answering("realtime", WATCH, watch), gateway.channel() as channel:
        watch_auction: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(WATCH)
        frames = watch_auction(b"", timeout=10)
        assert next(frames) == RECOVERED
        first_arrived.set()
        assert list(frames) == [RECONNECT]
        first_arrived.clear()
        connection = HTTPConnection("127.0.0.1", gateway.port, timeout=10)
        connection.request("GET", f"/v1/auctions/{uuid4()}/feed")
        answer = connection.getresponse()
        assert json.loads(answer.readline())["recovered"] is True
        first_arrived.set()
        assert json.loads(answer.readline())["reconnect"] is True
        connection.close()


def test_commands_flow_both_ways_on_one_stream(gateway: Gateway) -> None:
    with gateway.channel() as channel:
        place_bids: grpc.StreamStreamMultiCallable[bytes, bytes]
        place_bids = channel.stream_stream(f"{AUCTIONS}/PlaceBids")
        bearer = gateway.bearer(str(uuid4()))
        assert list(place_bids(iter([b"", b""]), metadata=(bearer,), timeout=10)) == [b""]


def test_a_webhook_arrives_byte_for_byte_with_its_signature(gateway: Gateway) -> None:
    raw = b'{ "id":"evt_1",\n"amount" : 1.0, "text":"\xc3\xa4" }'
    headers = (("content-type", "application/json"), ("stripe-signature", "t=1,v1=abc"))
    gateway.take_seen("payment")
    assert http(gateway, "POST", "/webhooks/stripe", *headers, body=raw).status == 200
    (seen,) = gateway.take_seen("payment")
    assert seen.path == "/blytz.payment.v1.PaymentService/HandleStripeWebhook"
    assert HttpBody.FromString(seen.request).data == raw
    assert seen.metadata["stripe-signature"] == "t=1,v1=abc"
