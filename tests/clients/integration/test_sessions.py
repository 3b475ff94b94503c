import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from blytz.auction.v1.auction_pb2 import Auction
from blytz.auction.v1.auction_service_pb2 import (
    GetAuctionResponse,
    ListAuctionsRequest,
    ListAuctionsResponse,
    PlaceBidRequest,
    PlaceBidResponse,
)
from blytz.identity.v1.auth_service_pb2 import (
    LoginRequest,
    LoginResponse,
    RefreshTokenRequest,
    RefreshTokenResponse,
)
from blytz.identity.v1.auth_service_pb2 import Session as Tokens
from blytz.identity.v1.user_service_pb2 import GetMeResponse, User
from blytz_client import Blytz, BlytzCallError, FieldViolation
from fakes.scripted_edge import ScriptedEdge, fail, scripted_edge

AUCTION_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"


def tokens(number: int, *, lives_s: float = 900.0) -> Tokens:
    return Tokens(
        access_token=f"access-{number}",
        refresh_token=f"refresh-{number}",
        access_token_expires_at=Timestamp(seconds=int(time.time() + lives_s)),
        user=User(user_id="ada", display_name="Ada"),
    )


class Identity:
    """Signs in and refreshes; each refresh token works once."""

    def __init__(self, *, first_lives_s: float) -> None:
        self.issued = 1
        self.first_lives_s = first_lives_s

    async def login(self, _request: LoginRequest, _context: Any) -> LoginResponse:
        return LoginResponse(session=tokens(1, lives_s=self.first_lives_s))

    async def refresh(self, request: RefreshTokenRequest, context: Any) -> RefreshTokenResponse:
        await asyncio.sleep(0.02)
        if request.refresh_token != f"refresh-{self.issued}":
            await fail(
                context,
                grpc.StatusCode.UNAUTHENTICATED,
                ErrorInfo(reason="REFRESH_TOKEN_REUSED", domain="blytz.live"),
            )
        self.issued += 1
        return RefreshTokenResponse(session=tokens(self.issued))


@pytest.fixture
async def edge() -> AsyncIterator[ScriptedEdge]:
    async with scripted_edge() as edge:
        yield edge


async def get_me(_request: Any, _context: Any) -> GetMeResponse:
    return GetMeResponse(user=User(user_id="ada"))


async def test_a_session_refreshes_itself_once_for_all_who_call(edge: ScriptedEdge) -> None:
    identity = Identity(first_lives_s=0.0)
    edge.script = {"Login": identity.login, "RefreshToken": identity.refresh, "GetMe": get_me}
    async with Blytz(edge.url) as blytz:
        ada = await blytz.login(email="ada@example.com", password="a long password")
        await asyncio.sleep(0.01)
        users = await asyncio.gather(*(ada.get_me() for _ in range(100)))
    assert {user.user_id for user in users} == {"ada"}
    assert identity.issued == 2
    assert ada.tokens.refresh_token == "refresh-2"
    sent = [m["authorization"] for m in edge.metadata if "authorization" in m]
    assert set(sent) == {"Bearer access-2"}


async def test_a_session_that_was_kept_goes_on(edge: ScriptedEdge) -> None:
    edge.script = {"GetMe": get_me}
    async with Blytz(edge.url) as blytz:
        session = blytz.resume(tokens(7))
        assert session.user.display_name == "Ada"
        await session.get_me()
    assert edge.metadata[-1]["authorization"] == "Bearer access-7"


async def test_a_session_that_was_revoked_says_so(edge: ScriptedEdge) -> None:
    identity = Identity(first_lives_s=0.0)
    edge.script = {"RefreshToken": identity.refresh}
    async with Blytz(edge.url) as blytz:
        session = blytz.resume(tokens(9, lives_s=0.0))
        await asyncio.sleep(0.01)
        with pytest.raises(BlytzCallError) as raised:
            await session.get_me()
    assert raised.value.status is grpc.StatusCode.UNAUTHENTICATED
    assert raised.value.reason == "REFRESH_TOKEN_REUSED"


async def test_a_bid_is_sent_again_with_its_request_id_until_it_is_answered(
    edge: ScriptedEdge,
) -> None:
    failures = 3

    async def place_bid(_request: PlaceBidRequest, context: Any) -> PlaceBidResponse:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            await fail(context, grpc.StatusCode.UNAVAILABLE)
        return PlaceBidResponse(leading=True)

    edge.script = {"PlaceBid": place_bid}
    async with Blytz(edge.url) as blytz:
        session = blytz.resume(tokens(1))
        answer = await session.place_bid(AUCTION_ID, maximum_minor=1250, currency_code="USD")
    assert answer.leading
    bids = [request for _, request in edge.requests]
    assert len(bids) == 4
    assert all(bid == bids[0] for bid in bids)
    assert bids[0].request_id
    assert edge.metadata[0]["x-route-key"] == AUCTION_ID
    assert 1.0 < (edge.deadlines_s[0] or 0) <= 2.1


async def test_patience_ends(edge: ScriptedEdge) -> None:
    async def away(_request: Any, context: Any) -> None:
        await fail(context, grpc.StatusCode.UNAVAILABLE, ErrorInfo(reason="SHARD_UNAVAILABLE"))

    edge.script = {"PlaceBid": away}
    async with Blytz(edge.url) as blytz:
        session = blytz.resume(tokens(1))
        with pytest.raises(BlytzCallError, match="SHARD_UNAVAILABLE"):
            await session.place_bid(
                AUCTION_ID, maximum_minor=1250, currency_code="USD", patience_s=0.2
            )
    assert 2 <= len(edge.requests) <= 6


async def test_what_is_not_idempotent_is_sent_once(edge: ScriptedEdge) -> None:
    async def away(_request: Any, context: Any) -> None:
        await fail(context, grpc.StatusCode.UNAVAILABLE)

    edge.script = {"Login": away}
    async with Blytz(edge.url) as blytz:
        with pytest.raises(BlytzCallError):
            await blytz.login(email="ada@example.com", password="a long password")
    assert len(edge.requests) == 1


async def test_an_error_carries_all_that_the_contract_says(edge: ScriptedEdge) -> None:
    async def refuse(_request: Any, context: Any) -> None:
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(1500)
        violation = BadRequest.FieldViolation(
            field="maximum.amount_minor", reason="bid.maximum", description="must be above zero"
        )
        await fail(
            context,
            grpc.StatusCode.INVALID_ARGUMENT,
            ErrorInfo(reason="INVALID_REQUEST", metadata={"minimum_minor": "950"}),
            BadRequest(field_violations=[violation]),
            retry,
        )

    edge.script = {"PlaceBid": refuse}
    async with Blytz(edge.url) as blytz:
        with pytest.raises(BlytzCallError) as raised:
            await blytz.resume(tokens(1)).place_bid(
                AUCTION_ID, maximum_minor=-1, currency_code="USD"
            )
    error = raised.value
    assert error.status is grpc.StatusCode.INVALID_ARGUMENT
    assert error.reason == "INVALID_REQUEST"
    assert error.metadata == {"minimum_minor": "950"}
    assert error.field_violations == (
        FieldViolation("maximum.amount_minor", "bid.maximum", "must be above zero"),
    )
    assert error.retry_after_s == 1.5


async def test_nobody_at_the_address_is_unavailable_without_a_reason() -> None:
    async with Blytz("http://127.0.0.1:9", connections=2) as blytz:
        with pytest.raises(BlytzCallError) as raised:
            await blytz.login(email="ada@example.com", password="a long password")
    assert raised.value.status is grpc.StatusCode.UNAVAILABLE
    assert raised.value.reason == ""


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://host", "http://"])
def test_an_address_must_be_an_address(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Blytz(url)


async def test_lists_are_read_page_by_page(edge: ScriptedEdge) -> None:
    async def list_auctions(request: ListAuctionsRequest, _context: Any) -> ListAuctionsResponse:
        start = int(request.page_token or 0)
        return ListAuctionsResponse(
            auctions=[Auction(auction_id=str(n)) for n in range(start, start + 2)],
            next_page_token=str(start + 2) if start < 4 else "",
        )

    edge.script = {"ListAuctions": list_auctions}
    async with Blytz(edge.url) as blytz:
        found = [auction.auction_id async for auction in blytz.list_auctions()]
    assert found == ["0", "1", "2", "3", "4", "5"]


async def test_several_connections_take_turns(edge: ScriptedEdge) -> None:
    peers = set()

    async def get_auction(_request: Any, context: Any) -> GetAuctionResponse:
        peers.add(context.peer())
        return GetAuctionResponse()

    edge.script = {"GetAuction": get_auction}
    async with Blytz(edge.url, connections=3) as blytz:
        for _ in range(6):
            await blytz.get_auction(AUCTION_ID)
    assert len(peers) == 3
