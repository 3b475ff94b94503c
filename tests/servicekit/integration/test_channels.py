"""Calls between services: what the contract adds to them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from blytz.auction.v1 import auction_service_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from blytz.payment.v1.wallet_service_pb2 import GetWalletRequest
from blytz.payment.v1.wallet_service_pb2_grpc import WalletServiceStub
from fakes.auction_service import bid_request
from fakes.mesh import channels_of, identity_in, refusal_of
from fakes.served import Served
from kernel.errors import DependencyUnavailable
from kernel.ids import new_id
from servicekit.call import Call, current_call
from servicekit.channels import Channels
from servicekit.contract import methods_of

METHODS = {
    method.name: method
    for method in methods_of(auction_service_pb2.DESCRIPTOR.services_by_name["AuctionService"])
}
AUCTION_ID = new_id()
GET = messages.GetAuctionRequest(auction_id=AUCTION_ID)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture
async def channels(served: Served, tls_folder: Path) -> AsyncIterator[Channels]:
    addresses = {"auction": served.address, "payment": served.address}
    async with channels_of(identity_in(tls_folder, "edge"), addresses) as opened:
        yield opened


class Away:
    """A script that is unavailable so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.count = 0

    async def __call__(self, _request: Any, _call: Call) -> bytes:
        self.count += 1
        if self.count <= self.times:
            raise DependencyUnavailable(dependency="postgres")
        return b""


async def test_a_call_names_the_replica_it_belongs_to(served: Served, channels: Channels) -> None:
    await channels.stub(AuctionServiceStub).GetAuction(GET)
    await channels.stub(AuctionServiceStub).ListAuctions(messages.ListAuctionsRequest())
    first, second = served.script.calls
    assert first.metadata["x-route-key"] == AUCTION_ID
    assert "x-route-key" not in second.metadata


async def test_what_may_be_repeated_is_repeated(served: Served, channels: Channels) -> None:
    away = served.script.scripts["GetAuction"] = Away(times=2)
    await channels.stub(AuctionServiceStub).GetAuction(GET)
    assert away.count == 3
    away = served.script.scripts["PlaceBid"] = Away(times=1)
    await channels.stub(AuctionServiceStub).PlaceBid(
        bid_request(AUCTION_ID, 1), metadata=served.person()
    )
    assert away.count == 2


async def test_it_is_not_repeated_for_ever(served: Served, channels: Channels) -> None:
    away = served.script.scripts["GetAuction"] = Away(times=99)
    refused = await refusal_of(channels.stub(AuctionServiceStub).GetAuction, GET)
    assert (refused.reason, away.count) == ("DEPENDENCY_UNAVAILABLE", 3)


async def test_what_has_an_effect_each_time_is_never_repeated(
    served: Served, channels: Channels
) -> None:
    away = served.script.scripts["CloseAuction"] = Away(times=1)
    refused = await refusal_of(
        channels.stub(AuctionServiceStub).CloseAuction,
        messages.CloseAuctionRequest(auction_id=AUCTION_ID),
        served.person("SELLER"),
    )
    assert (refused.code, away.count) == (grpc.StatusCode.UNAVAILABLE, 1)


async def test_the_contracts_deadline_is_the_clients(served: Served, channels: Channels) -> None:
    await channels.stub(AuctionServiceStub).GetAuction(GET)
    (call,) = served.script.calls
    remaining_s = call.deadline_s()
    assert remaining_s is not None
    assert 1.0 < remaining_s < 2.0


async def test_a_running_calls_deadline_and_trace_are_passed_on(
    served: Served, channels: Channels
) -> None:
    outer = Call(method=METHODS["GetAuction"], metadata={"traceparent": TRACEPARENT}, timeout_s=0.8)
    reset_to = current_call.set(outer)
    try:
        await channels.stub(AuctionServiceStub).GetAuction(GET)
    finally:
        current_call.reset(reset_to)
    (inner,) = served.script.calls
    inner_s, outer_s = inner.deadline_s(), outer.deadline_s()
    assert inner_s is not None
    assert outer_s is not None
    assert inner_s < outer_s < 0.8
    assert inner.traceparent == TRACEPARENT


async def test_a_call_whose_time_is_over_fails_at_once(channels: Channels) -> None:
    outer = Call(method=METHODS["GetAuction"], metadata={}, timeout_s=0.0)
    reset_to = current_call.set(outer)
    try:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channels.stub(AuctionServiceStub).GetAuction(GET)
    finally:
        current_call.reset(reset_to)
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_server_that_is_another_service_is_not_trusted(channels: Channels) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await channels.stub(WalletServiceStub).GetWallet(GetWalletRequest(), timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_channel_is_opened_once_a_service(channels: Channels) -> None:
    channels.stub(AuctionServiceStub)
    channels.stub(AuctionServiceStub)
    assert len(channels._channels) == 1
