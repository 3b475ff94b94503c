"""Who gets in on a whole mesh: nobody without a token, no service that the contract leaves out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from blytz.auction.v1.auction_service_pb2 import GetAuctionRequest
from blytz.options.v1 import policy_pb2
from blytz.options.v1.policy_pb2 import Access, Caller
from fakes.market import Market, bid_request
from fakes.protocols import METHODS, SERVICES, NativeGrpc, bearer, path_of
from fakes.running_mesh import RunningMesh

ALL = [method for service in SERVICES for method in service.methods]
WORKLOADS = ("edge", "identity", "auction", "payment", "realtime", "operator")
FORGED = (
    ("x-user-id", "01a20516-1d31-7f5d-802f-5ce986e05e4d"),
    ("x-blytz-user", "01a20516-1d31-7f5d-802f-5ce986e05e4d"),
    ("x-forwarded-client-cert", "By=spiffe://blytz.live/payment;URI=spiffe://blytz.live/auction"),
)


def policy_of(method: MethodDescriptor) -> Any:
    return method.GetOptions().Extensions[policy_pb2.policy]


def area_of(method: MethodDescriptor) -> str:
    return method.containing_service.full_name.split(".")[1]


def unary(method: MethodDescriptor) -> bool:
    return not (method.client_streaming or method.server_streaming)


PERSONAL = [
    method
    for method in ALL
    if policy_of(method).access not in {Access.ACCESS_PUBLIC, Access.ACCESS_SERVICE}
]
INSIDE = [method for method in ALL if Caller.CALLER_EDGE not in policy_of(method).callers]


def outcome_of(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    """The status and reason of a failed call."""
    trailers: Any = dict(error.trailing_metadata() or ())
    info = ErrorInfo()
    for detail in Status.FromString(trailers.get("grpc-status-details-bin", b"")).details:
        detail.Unpack(info)
    return error.code(), info.reason


async def _silence() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def unary_call(
    channel: grpc.aio.Channel, path: str, request: bytes, *metadata: tuple[str, str]
) -> bytes:
    """Make a unary call of raw bytes."""
    call: Any = channel.unary_unary(path)
    answer: bytes = await call(request, metadata=metadata, timeout=10)
    return answer


async def outcome(
    channel: grpc.aio.Channel, method: MethodDescriptor, *metadata: tuple[str, str]
) -> tuple[grpc.StatusCode, str]:
    """Call an RPC of any kind with an empty request."""
    request = GetMessageClass(method.input_type)().SerializeToString()
    kind = "stream" if method.client_streaming else "unary"
    answers = "stream" if method.server_streaming else "unary"
    call = getattr(channel, f"{kind}_{answers}")(path_of(method))
    # A stream opens and says nothing: a message on its way to a refusal confuses grpcio's client.
    sent: Any = _silence() if method.client_streaming else request
    running = call(sent, metadata=metadata, timeout=10)
    try:
        if method.server_streaming:
            async for _ in running:
                running.cancel()
                break
        else:
            await running
    except grpc.aio.AioRpcError as error:
        return outcome_of(error)
    return grpc.StatusCode.OK, ""


def direct(mesh: RunningMesh, area: str, folder: Path | None) -> grpc.aio.Channel:
    """A channel to a service's own port, with a workload's certificate or with none."""
    authority = (mesh.tls("edge") / "ca.pem").read_bytes()
    own = (
        ()
        if folder is None
        else (
            (folder / "key.pem").read_bytes(),
            (folder / "cert.pem").read_bytes(),
        )
    )
    return grpc.aio.secure_channel(
        mesh.state["grpc"][area],
        grpc.ssl_channel_credentials(authority, *own),
        options=[("grpc.ssl_target_name_override", f"{area}.blytz.internal")],
    )


async def test_no_token_opens_nothing_that_is_not_public(mesh: RunningMesh) -> None:
    assert len(PERSONAL) > 10
    async with grpc.aio.insecure_channel(mesh.edge_url.removeprefix("http://")) as edge:
        for method in PERSONAL:
            for headers in ((), FORGED):
                found = await outcome(edge, method, *headers)
                assert found == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING"), method.name


async def test_what_services_call_is_not_reached_through_the_edge(market: Market) -> None:
    assert {method.name for method in INSIDE} >= {"SettleWin", "AllotBiddingPower"}
    person = await market.person()
    token = bearer(person.tokens.access_token)
    reflection = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    async with grpc.aio.insecure_channel(market.mesh.edge_url.removeprefix("http://")) as edge:
        for method in INSIDE:
            found = await outcome(edge, method, token, *FORGED)
            assert found == (grpc.StatusCode.UNIMPLEMENTED, "UNKNOWN_METHOD"), method.name
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await unary_call(edge, reflection, b"")
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_service_that_the_contract_does_not_allow_is_refused(mesh: RunningMesh) -> None:
    """Every unary RPC, straight at its service's port, with every certificate that is not named."""
    tried = 0
    for area in ("identity", "payment", "auction"):
        for workload in WORKLOADS:
            async with direct(mesh, area, mesh.tls(workload)) as channel:
                for method in filter(unary, ALL):
                    if area_of(method) != area or _may_call(method, workload):
                        continue
                    found = await outcome(channel, method, *FORGED)
                    expected = (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")
                    assert found == expected, (method.name, workload)
                    tried += 1
    assert tried > 50


def _may_call(method: MethodDescriptor, workload: str) -> bool:
    callers = {
        Caller.Name(caller).removeprefix("CALLER_").lower() for caller in policy_of(method).callers
    }
    return workload in callers or "mesh" in callers


async def test_a_refused_service_writes_nothing(market: Market) -> None:
    seller, bidder = await market.seller(), await market.person(funds_minor=100_00)
    auction = await market.auction(seller)
    before = await market.written(auction.auction_id, bidder)
    request = bid_request(auction.auction_id, 50_00).SerializeToString()
    token = bearer(bidder.tokens.access_token)
    async with direct(market.mesh, "auction", market.mesh.tls("payment")) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await unary_call(channel, path_of(METHODS["PlaceBid"]), request, token)
    expected = (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")
    assert outcome_of(raised.value) == expected
    assert await market.written(auction.auction_id, bidder) == before


async def test_without_a_certificate_of_the_mesh_no_service_answers(mesh: RunningMesh) -> None:
    for area in ("identity", "payment", "auction"):
        async with direct(mesh, area, None) as channel:
            found = await outcome(channel, METHODS["GetAuction"])
            assert found == (grpc.StatusCode.UNAVAILABLE, ""), area


async def test_forged_headers_make_nobody_somebody_else(market: Market) -> None:
    seller, ann = await market.seller(), await market.person(funds_minor=100_00)
    auction = await market.auction(seller)
    await ann.place_bid(auction.auction_id, maximum_minor=50_00, currency_code="USD")
    ben = await market.person()
    forged = tuple((name, ann.user.user_id) for name, _ in FORGED)
    edge = NativeGrpc(market.mesh.edge_url)
    asked = GetAuctionRequest(auction_id=auction.auction_id)
    token = bearer(ben.tokens.access_token)
    as_ben = await edge.call(METHODS["GetAuction"], asked, token, *forged)
    as_nobody = await edge.call(METHODS["GetAuction"], asked, *forged)
    for answer in (as_ben, as_nobody):
        assert answer.status is grpc.StatusCode.OK
        assert not answer.message.HasField("own_standing")
