"""PlaceBids: many bids on one stream, refused ones among them."""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo

from blytz.auction.v1 import auction_service_pb2 as messages
from fakes.auction_service import AuctionClients, Metadata, bid_request
from fakes.mesh import bearer, mint_token, refusal_from
from kernel.ids import new_id
from svc_auction.infrastructure import bid_stream


def stream_of(clients: AuctionClients, metadata: Metadata) -> Any:
    return clients.edge.PlaceBids(metadata=metadata, timeout=20)


async def exchange(
    stream: Any, bids: Sequence[messages.PlaceBidRequest]
) -> dict[str, messages.PlaceBidsResponse]:
    """Send bids; return as many verdicts, by request id."""
    for bid in bids:
        await stream.write(messages.PlaceBidsRequest(bid=bid))
    verdicts = {}
    for _ in bids:
        verdict = await stream.read()
        assert isinstance(verdict, messages.PlaceBidsResponse), await stream.code()
        verdicts[verdict.request_id] = verdict
    return verdicts


async def funded(clients: AuctionClients) -> Metadata:
    """Return a person whose power is on the shard: bids that wait for the wallet are overtaken."""
    person = clients.person()
    await clients.edge.PlaceBid(bid_request(await clients.live(), 2_000_00), metadata=person)
    return person


def reason_of(verdict: messages.PlaceBidsResponse) -> str:
    info = ErrorInfo()
    assert any(detail.Unpack(info) for detail in verdict.refused.details), verdict
    return str(info.reason)


async def test_refused_bids_keep_the_stream_open(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    stream = stream_of(clients, await funded(clients))
    bids = [
        bid_request(auction_id, 50_00),
        bid_request(auction_id, 40_00),
        bid_request(new_id(), 50_00),
        bid_request(auction_id, 60_00),
    ]
    verdicts = await exchange(stream, bids)
    accepted = verdicts[bids[0].request_id].accepted
    assert (accepted.leading, accepted.bid.auction_id) == (True, auction_id)
    assert reason_of(verdicts[bids[1].request_id]) == "MAXIMUM_NOT_RAISED"
    assert verdicts[bids[1].request_id].refused.code == 9
    assert reason_of(verdicts[bids[2].request_id]) == "AUCTION_NOT_FOUND"
    assert verdicts[bids[3].request_id].HasField("accepted")
    again = await exchange(stream, bids[:1])
    assert again[bids[0].request_id].accepted == accepted
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is grpc.StatusCode.OK


async def test_the_contracts_rate_counts_each_bid(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    stream = stream_of(clients, clients.person())
    bids = [bid_request(auction_id, 10 * number) for number in range(1, 61)]
    verdicts = await exchange(stream, bids)
    refused = [v for v in verdicts.values() if v.HasField("refused")]
    limited = [v for v in refused if reason_of(v) == "RATE_LIMITED"]
    assert 1 <= len(limited) <= 20
    wait = RetryInfo()
    assert any(detail.Unpack(wait) for detail in limited[0].refused.details)
    assert 0 < wait.retry_delay.ToTimedelta().total_seconds() <= 1
    await asyncio.sleep(0.2)
    again = await exchange(stream, [bid_request(auction_id, 100_00)])
    assert all(verdict.HasField("accepted") for verdict in again.values())
    stream.cancel()


async def test_a_bid_that_breaks_the_contract_ends_the_stream_after_the_others(
    clients: AuctionClients,
) -> None:
    auction_id = await clients.live()
    stream = stream_of(clients, clients.person())
    good = bid_request(auction_id, 50_00)
    await stream.write(messages.PlaceBidsRequest(bid=good))
    await stream.write(messages.PlaceBidsRequest(bid=bid_request(auction_id, -1)))
    answered = await stream.read()
    assert (answered.request_id, answered.HasField("accepted")) == (good.request_id, True)
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await stream.read()
    refused = refusal_from(ended.value)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
    )
    assert refused.fields == {"bid.maximum.amount_minor"}


async def test_a_stream_without_a_token_or_from_a_stranger_never_starts(
    clients: AuctionClients,
) -> None:
    for stub, metadata, reason in (
        (clients.edge, [], "TOKEN_MISSING"),
        (clients.stubs["payment"], clients.person(), "CALLER_NOT_ALLOWED"),
    ):
        stream = stub.PlaceBids(metadata=metadata, timeout=20)
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await stream.read()
        assert refusal_from(ended.value).reason == reason


async def test_a_token_that_ends_under_way_bids_no_more(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    user_id = new_id()
    clients.wallet.available[user_id, "USD"] = 1_000_000
    stream = stream_of(clients, bearer(mint_token(clients.mint, user_id, lasts_s=2)))
    first = bid_request(auction_id, 50_00)
    assert (await exchange(stream, [first]))[first.request_id].HasField("accepted")
    await asyncio.sleep(2)
    late = bid_request(auction_id, 60_00)
    verdict = (await exchange(stream, [late]))[late.request_id]
    assert (reason_of(verdict), verdict.refused.code) == ("TOKEN_EXPIRED", 16)
    stream.cancel()


async def test_a_client_that_goes_leaves_no_task_behind(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    stream = stream_of(clients, clients.person())
    await exchange(stream, [bid_request(auction_id, 50_00)])
    stream.cancel()
    for _ in range(200):
        gc.collect()
        tasks = {task.get_name() for task in asyncio.all_tasks()}
        if not tasks & {"bid-stream", "bid-of-stream"}:
            break
        await asyncio.sleep(0.02)
    assert not tasks & {"bid-stream", "bid-of-stream"}
    assert (await clients.get(auction_id)).auction.bid_count == 1


async def test_a_stream_has_only_so_many_bids_under_way(
    clients: AuctionClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bid_stream, "IN_FLIGHT_MAX", 3)
    auction_id = await clients.live()
    stream = stream_of(clients, await funded(clients))
    bids = [bid_request(auction_id, 100 * 2**number) for number in range(10)]
    verdicts = await exchange(stream, bids)
    assert all(verdict.HasField("accepted") for verdict in verdicts.values())
    stream.cancel()


async def test_a_fault_of_ours_refuses_its_bid_alone(
    clients: AuctionClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction_id = await clients.live()
    stream = stream_of(clients, clients.person())
    with monkeypatch.context() as patched:

        def fail(*_: object) -> None:
            raise RuntimeError("select * from secrets")

        patched.setattr("svc_auction.infrastructure.grpc_bidding.Bid", fail)
        bid = bid_request(auction_id, 50_00)
        verdict = (await exchange(stream, [bid]))[bid.request_id]
    assert (reason_of(verdict), verdict.refused.code) == ("INTERNAL", 13)
    assert "secrets" not in str(verdict)
    bid = bid_request(auction_id, 50_00)
    assert (await exchange(stream, [bid]))[bid.request_id].HasField("accepted")
    stream.cancel()
