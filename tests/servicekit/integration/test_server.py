import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from blytz.auction.v1 import auction_service_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from fakes.auction_service import bid_request, create_request
from fakes.eventually import eventually
from fakes.mesh import bearer, channel_to, identity_in, mint_token, refusal_of, serving
from fakes.scripted_service import ScriptedService
from fakes.served import Served
from fakes.token_mint import TokenMint
from kernel.ids import new_id
from servicekit.contract import ContractError
from servicekit.rpc import RpcAdapter
from servicekit.server import GrpcServer
from servicekit.tls import caller_from_tls
from servicekit.tokens import TokenVerifier
from stack.certificates import ensure_certificates

AUCTION = auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"]
GET = messages.GetAuctionRequest(auction_id=new_id())
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Slow:
    """A script that answers when it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def __call__(self, _request: Any, _call: Any) -> messages.GetAuctionResponse:
        self.begun += 1
        await self.go.wait()
        return messages.GetAuctionResponse()


async def test_health_says_serving_until_the_drain_and_calls_under_way_finish(
    tls_folder: Path, mint: TokenMint, address: str
) -> None:
    script, slow = ScriptedService(AUCTION), Slow()
    script.scripts["GetAuction"] = slow
    edge = identity_in(tls_folder, "edge")
    async with (
        serving(
            [(AUCTION, script)],
            address=address,
            identity=identity_in(tls_folder, "auction"),
            mint=mint,
        ) as server,
        channel_to(address, "auction", edge) as channel,
    ):
        health: Any = health_pb2_grpc.HealthStub(channel)
        for service in ("", AUCTION.full_name):
            request = health_pb2.HealthCheckRequest(service=service)
            assert (await health.Check(request)).status == SERVING
        watch = health.Watch(health_pb2.HealthCheckRequest(service=AUCTION.full_name))
        assert (await watch.read()).status == SERVING
        under_way = asyncio.ensure_future(AuctionServiceStub(channel).GetAuction(GET))
        await eventually(lambda: slow.begun == 1)
        draining = asyncio.create_task(server.drain(grace_s=5))
        assert (await watch.read()).status == NOT_SERVING
        slow.go.set()
        assert await under_way == messages.GetAuctionResponse()
        watch.cancel()
        await draining


async def test_calls_are_served_while_clients_learn_of_the_drain(
    tls_folder: Path, mint: TokenMint, address: str
) -> None:
    script = ScriptedService(AUCTION)
    async with (
        serving(
            [(AUCTION, script)],
            address=address,
            identity=identity_in(tls_folder, "auction"),
            mint=mint,
        ) as server,
        channel_to(address, "auction", identity_in(tls_folder, "edge")) as channel,
    ):
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service=""))
        assert (await watch.read()).status == SERVING
        draining = asyncio.create_task(server.drain(grace_s=5, delay_s=60))
        assert (await watch.read()).status == NOT_SERVING
        assert await AuctionServiceStub(channel).GetAuction(GET) == messages.GetAuctionResponse()
        watch.cancel()
        draining.cancel()


async def test_what_does_not_finish_within_the_grace_is_cancelled(
    tls_folder: Path, mint: TokenMint, address: str
) -> None:
    script, slow = ScriptedService(AUCTION), Slow()
    script.scripts["GetAuction"] = slow
    async with (
        serving(
            [(AUCTION, script)],
            address=address,
            identity=identity_in(tls_folder, "auction"),
            mint=mint,
        ) as server,
        channel_to(address, "auction", identity_in(tls_folder, "edge")) as channel,
    ):
        under_way = asyncio.ensure_future(AuctionServiceStub(channel).GetAuction(GET))
        await eventually(lambda: slow.begun == 1)
        await asyncio.wait_for(server.drain(grace_s=0.1), timeout=5)
        with pytest.raises(grpc.aio.AioRpcError):
            await under_way


def server_of(parts: Any, *, tls_folder: Path, mint: TokenMint, address: str) -> GrpcServer:
    keys = TokenVerifier(issuer="", audience="", fetch_keys=mint.fetch_keys)
    return GrpcServer(
        adapter=RpcAdapter(caller_of=caller_from_tls("blytz.live"), verifier=keys),
        rpc=[(AUCTION, parts)],
        credentials=identity_in(tls_folder, "auction").server_credentials(),
        address=address,
        concurrent_calls_max=1,
        reflect=False,
    )


class Bids:
    """A part of the service that serves bids alone."""

    def __init__(self, script: ScriptedService) -> None:
        self.PlaceBid = script.PlaceBid  # type: ignore[attr-defined]


class Prices:
    """A part that serves nothing of the contract."""


async def test_a_handler_must_have_every_rpc(
    tls_folder: Path, mint: TokenMint, address: str
) -> None:
    script = ScriptedService(AUCTION)
    del script.PlaceBid  # type: ignore[attr-defined]
    for parts in (script, (script,), (Prices(), script)):
        with pytest.raises(ContractError, match=r"0 of .*ScriptedService serve .*PlaceBid"):
            server_of(parts, tls_folder=tls_folder, mint=mint, address=address)


async def test_of_several_parts_one_serves_each_rpc(
    tls_folder: Path, mint: TokenMint, address: str
) -> None:
    script, bids = ScriptedService(AUCTION), Bids(ScriptedService(AUCTION))
    with pytest.raises(ContractError, match=r"2 of ScriptedService, Bids serve .*PlaceBid"):
        server_of((script, bids), tls_folder=tls_folder, mint=mint, address=address)


async def test_several_parts_serve_one_service(
    tls_folder: Path, mint: TokenMint, address: str
) -> None:
    reads, writes = ScriptedService(AUCTION), ScriptedService(AUCTION)
    bids = Bids(writes)
    del reads.PlaceBid  # type: ignore[attr-defined]
    async with (
        serving(
            [(AUCTION, (reads, bids))],
            address=address,
            identity=identity_in(tls_folder, "auction"),
            mint=mint,
        ),
        channel_to(address, "auction", identity_in(tls_folder, "edge")) as channel,
    ):
        stub, person = AuctionServiceStub(channel), bearer(mint_token(mint, new_id()))
        await stub.GetAuction(GET)
        assert (len(reads.calls), len(writes.calls)) == (1, 0)
        await stub.PlaceBid(bid_request(new_id(), 100), metadata=person)
        assert (len(reads.calls), len(writes.calls)) == (1, 1)


async def test_a_message_of_5_mb_is_refused_unread(served: Served) -> None:
    refused = await refusal_of(
        served.stub.CreateAuction,
        create_request(description="x" * 5_000_000),
        served.person("SELLER"),
    )
    assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert served.script.calls == []


async def test_what_the_contract_does_not_know_is_unimplemented(served: Served) -> None:
    unknown: Any = served.channel.unary_unary("/blytz.auction.v1.AuctionService/Steal")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await unknown(b"")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("reflect", [True, False])
async def test_reflection_is_there_only_if_it_is_wanted(
    tls_folder: Path, mint: TokenMint, address: str, *, reflect: bool
) -> None:
    async with (
        serving(
            [(AUCTION, ScriptedService(AUCTION))],
            address=address,
            identity=identity_in(tls_folder, "auction"),
            mint=mint,
            reflect=reflect,
        ),
        channel_to(address, "auction", identity_in(tls_folder, "edge")) as channel,
    ):
        if reflect:
            listed = (await reflection_on(channel)).list_services_response
            assert AUCTION.full_name in {service.name for service in listed.service}
        else:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await reflection_on(channel)
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def reflection_on(channel: grpc.aio.Channel) -> Any:
    """Ask which services there are."""
    stub_class: Any = reflection_pb2_grpc.ServerReflectionStub
    stream = stub_class(channel).ServerReflectionInfo()
    await stream.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    await stream.done_writing()
    return await stream.read()


async def test_more_calls_than_allowed_are_shed(
    tls_folder: Path, mint: TokenMint, address: str
) -> None:
    script, slow = ScriptedService(AUCTION), Slow()
    script.scripts["GetAuction"] = slow
    async with (
        serving(
            [(AUCTION, script)],
            address=address,
            identity=identity_in(tls_folder, "auction"),
            mint=mint,
            concurrent_calls_max=2,
        ),
        channel_to(address, "auction", identity_in(tls_folder, "edge")) as channel,
    ):
        stub = AuctionServiceStub(channel)
        under_way = [asyncio.ensure_future(stub.GetAuction(GET)) for _ in range(2)]
        await eventually(lambda: slow.begun == 2)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetAuction(GET)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        slow.go.set()
        await asyncio.gather(*under_way)
        await stub.GetAuction(GET)


async def test_only_certificates_of_the_mesh_get_through(
    served: Served, tmp_path: Path, mint: TokenMint
) -> None:
    ensure_certificates(tmp_path, ("edge",))
    for identity in (None, identity_in(tmp_path, "edge")):
        async with channel_to(served.address, "auction", identity) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await AuctionServiceStub(channel).GetAuction(GET, timeout=10)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    token = mint_token(mint, new_id())
    await served.stub.GetAuction(GET, metadata=[("authorization", f"Bearer {token}")])
    assert len(served.script.calls) == 1
