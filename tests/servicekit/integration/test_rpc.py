"""What stands around every RPC, seen from the other end of the wire."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from blytz.auction.v1 import auction_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from fakes.auction_service import bid_request
from fakes.eventually import eventually
from fakes.mesh import channel_to, identity_in, refusal_from, refusal_of
from fakes.served import Served
from kernel.errors import DependencyUnavailable
from kernel.ids import new_id
from servicekit.call import Call, current_call

GET = messages.GetAuctionRequest(auction_id=new_id())
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


async def test_a_handler_knows_who_asks_and_until_when(served: Served) -> None:
    person = served.person("SELLER")
    await served.stub.GetAuction(
        GET, metadata=[*person, ("traceparent", TRACEPARENT), ("x-extra", "1")], timeout=1.5
    )
    (call,) = served.script.calls
    assert call.caller == "edge"
    assert call.person is not None
    assert (call.person.roles, call.person.name) == (frozenset({"SELLER"}), "Ada")
    assert call.metadata["x-extra"] == "1"
    assert call.traceparent == TRACEPARENT
    remaining_s = call.deadline_s()
    assert remaining_s is not None
    assert remaining_s < 1.5


async def test_the_contracts_limit_holds_when_the_client_allows_more(served: Served) -> None:
    await served.stub.GetAuction(GET, timeout=60)
    await served.stub.GetAuction(GET)
    limits = [call.deadline_s() for call in served.script.calls]
    assert all(limit is not None and limit < 2.0 for limit in limits)


async def test_within_a_call_the_running_call_is_known(served: Served) -> None:
    seen: list[Call | None] = []

    async def answer(_request: Any, call: Call) -> messages.GetAuctionResponse:
        seen.extend([current_call.get(), call])
        return messages.GetAuctionResponse()

    served.script.scripts["GetAuction"] = answer
    await served.stub.GetAuction(GET)
    assert seen[0] is seen[1] is not None
    assert current_call.get() is None


async def test_bytes_are_sent_as_they_are(served: Served) -> None:
    whole = messages.GetAuctionResponse(auction=auction_pb2.Auction(title="A watch"))

    async def answer(_request: Any, _call: Call) -> bytes:
        return whole.SerializeToString()

    served.script.scripts["GetAuction"] = answer
    assert await served.stub.GetAuction(GET) == whole


@pytest.mark.parametrize(
    ("signed_in", "wanted"), [(False, "public, max-age=1"), (True, "private, no-store")]
)
async def test_a_cache_may_keep_what_the_contract_says_and_nothing_with_a_token(
    served: Served,
    signed_in: bool,  # noqa: FBT001
    wanted: str,
) -> None:
    call = served.stub.GetAuction(GET, metadata=served.person() if signed_in else [])
    await call
    assert dict(await call.initial_metadata())["cache-control"] == wanted


async def test_what_no_cache_may_keep_says_nothing(served: Served) -> None:
    bid = served.stub.PlaceBid(bid_request(new_id(), 100), metadata=served.person())
    await bid
    assert "cache-control" not in dict(await bid.initial_metadata())

    async def answer(_request: Any, _call: Call) -> None:
        raise DependencyUnavailable(dependency="postgres", retry_after_s=1.5)

    served.script.scripts["GetAuction"] = answer
    refused = served.stub.GetAuction(GET)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await refused
    assert "cache-control" not in dict(caught.value.initial_metadata() or ())


async def test_an_error_of_ours_travels_with_its_details(served: Served) -> None:
    async def answer(_request: Any, _call: Call) -> None:
        raise DependencyUnavailable(dependency="postgres", retry_after_s=1.5)

    served.script.scripts["GetAuction"] = answer
    refused = await refusal_of(served.stub.GetAuction, GET)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.UNAVAILABLE,
        "DEPENDENCY_UNAVAILABLE",
    )
    assert refused.message == "A part that this call needs is away for the moment: postgres."
    assert (refused.metadata, refused.retry_after_s) == ({"dependency": "postgres"}, 1.5)


async def test_a_crash_tells_nothing(served: Served) -> None:
    async def answer(_request: Any, _call: Call) -> None:
        raise ValueError("select password from people")

    served.script.scripts["GetAuction"] = answer
    refused = await refusal_of(served.stub.GetAuction, GET)
    assert (refused.code, refused.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "password" not in refused.message + str(refused.status)


async def test_a_call_that_takes_too_long_says_so_in_time(served: Served) -> None:
    cancelled = asyncio.Event()

    async def answer(_request: Any, _call: Call) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    served.script.scripts["GetAuction"] = answer
    refused = await refusal_of(served.stub.GetAuction, GET)
    assert (refused.code, refused.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "TIMED_OUT")
    assert cancelled.is_set()


async def test_a_client_that_hangs_up_cancels_the_handler(served: Served) -> None:
    states: list[str] = []

    async def answer(_request: Any, _call: Call) -> None:
        states.append("begun")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            states.append("cancelled")
            raise

    served.script.scripts["GetAuction"] = answer
    call = served.stub.GetAuction(GET)
    waiting = asyncio.ensure_future(call)
    await eventually(lambda: states == ["begun"])
    waiting.cancel()
    await eventually(lambda: states == ["begun", "cancelled"])


async def test_the_caller_is_looked_at_before_the_person_and_both_before_the_request(
    served: Served, tls_folder: Any
) -> None:
    bad = messages.PlaceBidRequest()
    async with channel_to(served.address, "auction", identity_in(tls_folder, "payment")) as other:
        refused = await refusal_of(AuctionServiceStub(other).PlaceBid, bad)
        assert refused.reason == "CALLER_NOT_ALLOWED"
    assert (await refusal_of(served.stub.PlaceBid, bad)).reason == "TOKEN_MISSING"
    refused = await refusal_of(served.stub.PlaceBid, bad, served.person())
    assert (refused.reason, refused.code) == (
        "INVALID_REQUEST",
        grpc.StatusCode.INVALID_ARGUMENT,
    )
    assert refused.fields == {"request_id", "auction_id", "maximum"}
    assert served.script.calls == []


async def test_a_stream_answers_as_it_goes_and_ends_with_its_error(served: Served) -> None:
    async def answer(requests: AsyncIterator[Any], _call: Call) -> AsyncIterator[Any]:
        async for request in requests:
            if request.bid.maximum.amount_minor == 3:
                raise DependencyUnavailable(dependency="postgres")
            answered = messages.PlaceBidsResponse(request_id=request.bid.request_id)
            yield answered.SerializeToString() if len(seen) % 2 else answered

    seen: list[str] = []
    served.script.scripts["PlaceBids"] = answer
    stream = served.stub.PlaceBids(metadata=served.person(), timeout=20)
    for minor in (1, 2):
        bid = bid_request(new_id(), minor)
        await stream.write(messages.PlaceBidsRequest(bid=bid))
        seen.append((await stream.read()).request_id)
        assert seen[-1] == bid.request_id
    await stream.write(messages.PlaceBidsRequest(bid=bid_request(new_id(), 3)))
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await stream.read()
    assert refusal_from(ended.value).reason == "DEPENDENCY_UNAVAILABLE"


async def test_each_message_of_a_stream_is_validated(served: Served) -> None:
    async def answer(requests: AsyncIterator[Any], _call: Call) -> AsyncIterator[Any]:
        async for request in requests:
            yield messages.PlaceBidsResponse(request_id=request.bid.request_id)

    served.script.scripts["PlaceBids"] = answer
    stream = served.stub.PlaceBids(metadata=served.person(), timeout=20)
    await stream.write(messages.PlaceBidsRequest(bid=bid_request(new_id(), 1)))
    await stream.read()
    await stream.write(messages.PlaceBidsRequest())
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await stream.read()
    refused = refusal_from(ended.value)
    assert (refused.reason, refused.fields) == ("INVALID_REQUEST", {"bid"})


async def test_a_crash_of_a_stream_tells_nothing(served: Served) -> None:
    async def answer(_requests: Any, _call: Call) -> AsyncIterator[Any]:
        raise ValueError("select password from people")
        yield

    served.script.scripts["PlaceBids"] = answer
    stream = served.stub.PlaceBids(metadata=served.person(), timeout=20)
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await stream.read()
    refused = refusal_from(ended.value)
    assert refused.reason == "INTERNAL"
    assert "password" not in refused.message
