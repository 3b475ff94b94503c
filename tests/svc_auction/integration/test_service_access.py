"""Who may call what, for every RPC of the contract, and what bad input is told."""

import time
from typing import Any

import grpc
import pytest

from blytz.auction.v1 import auction_pb2, auction_service_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.options.v1.policy_pb2 import Access
from fakes.auction_service import AuctionClients, bid_request, create_request, usd
from fakes.mesh import bearer, mint_token, refusal_of
from fakes.token_mint import TokenMint, handmade, right_claims
from kernel.ids import new_id
from servicekit.contract import MethodContract, methods_of

METHODS = list(methods_of(auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]))
UNARY = [method for method in METHODS if not method.client_streaming]
SELLERS = [method for method in UNARY if method.access == Access.ACCESS_SELLER]


def named(method: MethodContract) -> str:
    return method.name


def empty_request(method: MethodContract) -> Any:
    """Return a request that no rule lets pass: access is checked before it."""
    return method.request_class()


def test_every_rpc_is_covered() -> None:
    assert len(METHODS) == 21
    assert {m.name for m in METHODS if m.access == Access.ACCESS_PUBLIC} == {
        "GetAuction", "ListAuctions", "ListBids", "VerifyBidLog", "GetReceiptKeys",
    }  # fmt: skip


@pytest.mark.parametrize(
    "method", [m for m in UNARY if m.access != Access.ACCESS_PUBLIC], ids=named
)
async def test_without_a_token_nobody_is_signed_in(
    clients: AuctionClients, method: MethodContract
) -> None:
    refused = await refusal_of(getattr(clients.edge, method.name), empty_request(method))
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


@pytest.mark.parametrize("method", UNARY, ids=named)
async def test_a_workload_that_the_contract_does_not_name_is_refused(
    clients: AuctionClients, method: MethodContract
) -> None:
    for workload in ("payment", "operator", "realtime"):
        if workload in method.callers:
            continue
        call = getattr(clients.stubs[workload], method.name)
        refused = await refusal_of(call, empty_request(method), clients.seller)
        assert refused.code is grpc.StatusCode.PERMISSION_DENIED
        assert refused.reason == "CALLER_NOT_ALLOWED"
        assert refused.metadata == {"method": method.path, "caller": workload}


async def test_realtime_reads_what_its_snapshots_need(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    realtime = clients.stubs["realtime"]
    found = await realtime.GetAuction(messages.GetAuctionRequest(auction_id=auction_id))
    assert found.auction.auction_id == auction_id
    await realtime.ListBids(messages.ListBidsRequest(auction_id=auction_id))


@pytest.mark.parametrize("method", SELLERS, ids=named)
async def test_only_sellers_sell(clients: AuctionClients, method: MethodContract) -> None:
    refused = await refusal_of(
        getattr(clients.edge, method.name), empty_request(method), clients.person()
    )
    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
    assert refused.metadata == {"role": "SELLER"}


async def test_tokens_that_are_no_longer_or_never_were_good(
    clients: AuctionClients, mint: TokenMint
) -> None:
    person = new_id()
    now_s = int(time.time())
    good: dict[str, Any] = {"sub": person, "iat": now_s, "nbf": now_s, "exp": now_s + 900}
    claims = right_claims() | good
    stranger = TokenMint()
    tokens = {
        "TOKEN_EXPIRED": [mint_token(mint, person, lasts_s=-10)],
        "TOKEN_INVALID": [
            "nonsense",
            mint.token(**good | {"aud": "another"}),
            mint.token(**good | {"iss": "https://another.test"}),
            mint.token(**good | {"nbf": now_s + 300, "iat": now_s + 300}),
            mint.token(**good, signing_key=stranger.keys["first"]),
            mint.token(**good, header={"typ": "refresh"}),
            handmade({"alg": "none", "typ": "at+jwt", "kid": "first"}, claims),
            handmade(
                {"alg": "HS256", "typ": "at+jwt", "kid": "first"},
                claims,
                secret=mint.public_pem(),
            ),
        ],
    }
    for reason, bad_tokens in tokens.items():
        for token in bad_tokens:
            for call, request in (
                (clients.edge.PlaceBid, bid_request(new_id(), 100)),
                (clients.edge.GetAuction, messages.GetAuctionRequest(auction_id=new_id())),
            ):
                refused = await refusal_of(call, request, bearer(token))
                assert (refused.code, refused.reason) == (
                    grpc.StatusCode.UNAUTHENTICATED,
                    reason,
                )


STEPS = [auction_pb2.IncrementStep(price_from_minor=-1, step_minor=0)]
BAD_REQUESTS = [
    (create_request(request_id="x"), {"request_id"}),
    (create_request(title="x" * 121), {"title"}),
    (create_request(title="a\nb"), {"title"}),
    (create_request(image_url="http://insecure.test/x.jpg"), {"image_url"}),
    (create_request(image_url="javascript:alert(1)"), {"image_url"}),
    (
        create_request(terms=auction_pb2.AuctionTerms(opening_price=usd(-5))),
        {"terms.opening_price"},
    ),
    (
        create_request(terms=auction_pb2.AuctionTerms(opening_price=usd(1), increments=STEPS)),
        {"terms.increments[0].price_from_minor", "terms.increments[0].step_minor"},
    ),
    (
        messages.CreateAuctionRequest(request_id=new_id(), title="x"),
        {"terms"},
    ),
    (bid_request("not-an-id", 100), {"auction_id"}),
    (bid_request(new_id(), 0), {"maximum.amount_minor"}),
    (bid_request(new_id(), -100), {"maximum.amount_minor"}),
    (bid_request(new_id(), 1_000_000_000_001), {"maximum.amount_minor"}),
    (bid_request(new_id(), (1 << 63) - 1), {"maximum.amount_minor"}),
    (messages.PlaceBidRequest(request_id=new_id(), auction_id=new_id()), {"maximum"}),
    (bid_request(new_id(), 0, maximum={"currency_code": "usd"}), {"maximum.currency_code"}),
    (messages.ListBidsRequest(auction_id=""), {"auction_id"}),
    (messages.ListAuctionsRequest(seller_id="x"), {"seller_id"}),
    (messages.ScheduleAuctionRequest(auction_id=new_id()), {"starts_at", "ends_at"}),
]


@pytest.mark.parametrize(
    ("request_message", "fields"),
    BAD_REQUESTS,
    ids=[f"{type(r).__name__}-{'-'.join(sorted(f))}" for r, f in BAD_REQUESTS],
)
async def test_bad_input_names_its_fields(
    clients: AuctionClients, request_message: Any, fields: set[str]
) -> None:
    name = type(request_message).__name__.removesuffix("Request")
    refused = await refusal_of(getattr(clients.edge, name), request_message, clients.seller)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
    )
    assert fields <= refused.fields


async def test_a_hundred_violations_still_fit_into_an_answer(clients: AuctionClients) -> None:
    terms = auction_pb2.AuctionTerms(increments=STEPS * 50)
    refused = await refusal_of(
        clients.edge.CreateAuction, create_request(terms=terms), clients.seller
    )
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.reason == "INVALID_REQUEST"
    assert "terms.increments[0].step_minor" in refused.fields


async def test_a_message_of_5_mb_is_refused_unread(clients: AuctionClients) -> None:
    refused = await refusal_of(
        clients.edge.CreateAuction,
        create_request(description="x" * 5_000_000),
        clients.seller,
    )
    assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_page_token_that_was_not_issued_is_refused(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    for call, request in (
        (clients.edge.ListAuctions, messages.ListAuctionsRequest(page_token="x")),
        (
            clients.edge.ListBids,
            messages.ListBidsRequest(auction_id=auction_id, page_token="WyJ4Il0"),
        ),
    ):
        refused = await refusal_of(call, request)
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "PAGE_TOKEN_INVALID",
        )
