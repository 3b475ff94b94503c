"""Bad input gets the status that the contract names, with a reason, and writes nothing."""

import uuid
from typing import Any

import aiohttp
import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from blytz.auction.v1.auction_service_pb2 import PlaceBidRequest
from blytz_client import Session
from fakes.market import Market, bid_request, money
from fakes.protocols import METHODS, Answer, Json, NativeGrpc, Protocol, bearer
from fakes.token_mint import handmade

PLACE_BID = METHODS["PlaceBid"]
FAILED, INVALID = grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
AMOUNT_MINOR_MAX = 1_000_000_000_000
MEGABYTES_5 = "a" * 5_000_000


class Scene:
    """A live auction where Ann leads at the opening price, and Ben, who has funds too."""

    def __init__(self, market: Market, protocol: Protocol) -> None:
        self.market = market
        self.protocol = protocol
        self.refused_count = 0

    async def set_up(self) -> "Scene":
        self.seller = await self.market.seller(funds_minor=100_00)
        self.ann = await self.market.person(funds_minor=100_00)
        self.ben = await self.market.person(funds_minor=100_00)
        self.auction_id = (await self.market.auction(self.seller)).auction_id
        self.first_request = bid_request(self.auction_id, 50_00)
        token = bearer(self.ann.tokens.access_token)
        answer = await NativeGrpc(self.protocol.edge_url).call(PLACE_BID, self.first_request, token)
        assert answer.status is grpc.StatusCode.OK
        return self

    async def refuse(self, person: Session | None, request: PlaceBidRequest) -> Answer:
        """Make a bid that must be refused; nothing may be written."""
        token = () if person is None else (bearer(person.tokens.access_token),)
        return await self.refuse_with(request, *token)

    async def refuse_with(self, request: PlaceBidRequest, *headers: tuple[str, str]) -> Answer:
        people = (self.seller, self.ann, self.ben)
        before = await self.market.written(self.auction_id, *people)
        answer = await self.protocol.call(PLACE_BID, request, *headers)
        assert answer.status is not grpc.StatusCode.OK
        assert await self.market.written(self.auction_id, *people) == before
        return answer


@pytest.fixture
async def scene(market: Market, protocol: Protocol) -> Scene:
    return await Scene(market, protocol).set_up()


async def test_too_low_a_bid(scene: Scene) -> None:
    answer = await scene.refuse(scene.ben, bid_request(scene.auction_id, 10_49))
    assert (answer.status, answer.reason) == (FAILED, "BID_TOO_LOW")


async def test_a_maximum_that_is_not_raised(scene: Scene) -> None:
    answer = await scene.refuse(scene.ann, bid_request(scene.auction_id, 50_00))
    assert (answer.status, answer.reason) == (FAILED, "MAXIMUM_NOT_RAISED")


async def test_an_ended_auction(scene: Scene) -> None:
    await scene.seller.close_auction(scene.auction_id)
    await scene.market.settled(scene.auction_id)
    answer = await scene.refuse(scene.ben, bid_request(scene.auction_id, 60_00))
    assert (answer.status, answer.reason) == (FAILED, "AUCTION_ENDED")


async def test_an_unknown_auction(scene: Scene) -> None:
    answer = await scene.refuse(scene.ben, bid_request(str(uuid.uuid4()), 60_00))
    assert (answer.status, answer.reason) == (grpc.StatusCode.NOT_FOUND, "AUCTION_NOT_FOUND")


async def test_no_funds(scene: Scene) -> None:
    answer = await scene.refuse(scene.ben, bid_request(scene.auction_id, 100_01))
    assert (answer.status, answer.reason) == (FAILED, "INSUFFICIENT_FUNDS")


async def test_the_sellers_own_bid(scene: Scene) -> None:
    answer = await scene.refuse(scene.seller, bid_request(scene.auction_id, 60_00))
    assert (answer.status, answer.reason) == (grpc.StatusCode.PERMISSION_DENIED, "OWN_AUCTION")


@pytest.mark.parametrize("amount_minor", [0, -1, -(2**63), AMOUNT_MINOR_MAX + 1, 2**63 - 1])
async def test_a_negative_or_overflowing_amount(scene: Scene, amount_minor: int) -> None:
    answer = await scene.refuse(scene.ben, bid_request(scene.auction_id, amount_minor))
    assert (answer.status, answer.reason) == (INVALID, "INVALID_REQUEST")
    assert "maximum" in {field.split(".")[0] for field in answer.fields}


async def test_a_wrong_currency(scene: Scene) -> None:
    answer = await scene.refuse(scene.ben, bid_request(scene.auction_id, 60_00, "EUR"))
    assert (answer.status, answer.reason) == (INVALID, "CURRENCY_MISMATCH")


async def test_no_currency_at_all(scene: Scene) -> None:
    answer = await scene.refuse(scene.ben, bid_request(scene.auction_id, 60_00, "dollars"))
    assert (answer.status, answer.reason) == (INVALID, "INVALID_REQUEST")
    assert answer.fields == {"maximum.currency_code"}


@pytest.mark.parametrize("field", ["auction_id", "request_id"])
@pytest.mark.parametrize("value", ["1", "no id", "01a20516-1d31-7f5d-802f-5ce986e05e4g"])
async def test_a_malformed_id(scene: Scene, field: str, value: str) -> None:
    request = bid_request(scene.auction_id, 60_00)
    setattr(request, field, value)
    answer = await scene.refuse(scene.ben, request)
    assert (answer.status, answer.reason) == (INVALID, "INVALID_REQUEST")
    assert answer.fields == {field}


async def test_a_replayed_request_id_with_another_body(scene: Scene) -> None:
    request = PlaceBidRequest()
    request.CopyFrom(scene.first_request)
    request.maximum.CopyFrom(money(60_00))
    answer = await scene.refuse(scene.ann, request)
    assert (answer.status, answer.reason) == (INVALID, "REQUEST_ID_REUSED")


async def published_key(edge_url: str) -> str:
    """The keys that tokens are verified with, as anyone can get them."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{edge_url}/.well-known/jwks.json") as response,
    ):
        return await response.text()


async def test_no_token(scene: Scene) -> None:
    answer = await scene.refuse(None, bid_request(scene.auction_id, 60_00))
    assert (answer.status, answer.reason) == (UNAUTHENTICATED, "TOKEN_MISSING")


async def test_an_expired_token(scene: Scene) -> None:
    token = bearer(scene.market.expired_token(scene.ben))
    answer = await scene.refuse_with(bid_request(scene.auction_id, 60_00), token)
    assert (answer.status, answer.reason) == (UNAUTHENTICATED, "TOKEN_EXPIRED")


async def test_a_forged_token(scene: Scene) -> None:
    text = scene.ben.tokens.access_token
    header = jwt.get_unverified_header(text)
    claims: dict[str, Any] = jwt.decode(text, options={"verify_signature": False})
    public_key = await published_key(scene.market.mesh.edge_url)
    own_key = generate_private_key(SECP256R1())
    forged = [
        jwt.encode(claims, own_key, algorithm="ES256", headers=header),
        handmade(header | {"alg": "none"}, claims),
        handmade(header | {"alg": "HS256"}, claims, secret=public_key.encode()),
        text[:-6] + ("aaaaaa" if text[-6:] != "aaaaaa" else "bbbbbb"),
        scene.ben.tokens.refresh_token,
        scene.market.token(scene.ben, aud="elsewhere"),
        scene.market.token(scene.ben, iss="https://elsewhere.example"),
    ]
    for token in forged:
        answer = await scene.refuse_with(bid_request(scene.auction_id, 60_00), bearer(token))
        assert (answer.status, answer.reason) == (UNAUTHENTICATED, "TOKEN_INVALID"), token


async def test_a_message_of_five_megabytes(scene: Scene) -> None:
    request = bid_request(scene.auction_id, 60_00)
    request.request_id = MEGABYTES_5
    answer = await scene.refuse(scene.ben, request)
    assert answer.status is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_number_that_no_message_holds(market: Market) -> None:
    """Only JSON can even say it."""
    json = Json(market.mesh.edge_url)
    scene = await Scene(market, json).set_up()
    before = await market.written(scene.auction_id, scene.ben)
    url = f"{json.edge_url}/v1/auctions/{scene.auction_id}/bids"
    for amount in ("99999999999999999999", "12.5", "ten"):
        maximum = {"currencyCode": "USD", "amountMinor": amount}
        body = {"requestId": str(uuid.uuid4()), "maximum": maximum}
        token = bearer(scene.ben.tokens.access_token)
        answer = await json.send(PLACE_BID, "POST", url, body, token)
        assert (answer.status, answer.reason) == (INVALID, "INVALID_REQUEST")
    assert await market.written(scene.auction_id, scene.ben) == before
