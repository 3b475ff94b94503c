"""What a seller may ask of a show, and how the rest is refused."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1 import auction_pb2, show_pb2
from blytz.auction.v1 import show_service_pb2 as messages
from fakes.auction_service import AuctionClients, Metadata, in_minutes, usd
from fakes.live_shows import Stage, check_events, lot_request, show_request
from fakes.mesh import refusal_of
from kernel.ids import new_id
from svc_auction.infrastructure.shards import Shard

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
ABORTED = grpc.StatusCode.ABORTED


async def test_a_show_announced_twice_is_answered_with_the_same_bytes(
    clients: AuctionClients, shard: Shard
) -> None:
    request = show_request(bidder_limit=usd(100_00), description="All of them tick.")
    first, at_once = await asyncio.gather(
        *(clients.shows.CreateShow(request, metadata=clients.seller) for _ in range(2))
    )
    assert at_once.SerializeToString() == first.SerializeToString()
    assert (first.show.seller_name, first.show.bidder_limit) == ("Ada", usd(100_00))
    stage = Stage(clients, first.show.show_id)
    assert await stage.show() == first.show
    await stage.do("UpdateShow", title="Monday watches", starts_at=in_minutes(90))
    await stage.do("EndShow")
    again = await clients.shows.CreateShow(request, metadata=clients.seller)
    assert again.SerializeToString() == first.SerializeToString()
    request.title = "Another"
    refused = await refusal_of(clients.shows.CreateShow, request, clients.seller)
    assert (refused.code, refused.reason) == (INVALID, "REQUEST_ID_REUSED")
    others = clients.person("SELLER")
    other = await clients.shows.CreateShow(request, metadata=others)
    assert other.show.show_id != first.show.show_id
    assert await check_events(shard, stage) == ["show.scheduled", "show.updated", "show.ended"]


async def test_a_lot_added_twice_is_one_lot(clients: AuctionClients, shard: Shard) -> None:
    stage = await Stage.announce(clients)
    request = lot_request(stage.show_id)
    request.new_lot.reserve_price.CopyFrom(usd(3_00))
    first, at_once = await asyncio.gather(
        *(clients.shows.AddLot(request, metadata=clients.seller) for _ in range(2))
    )
    assert at_once.SerializeToString() == first.SerializeToString()
    lot = first.lot
    assert (lot.state, lot.show_id) == (auction_pb2.AUCTION_STATE_QUEUED, stage.show_id)
    assert (await stage.lot(lot.auction_id)) == lot
    await stage.bid(lot.auction_id, 9_00, clients.person())
    await stage.do("EndShow")
    again = await clients.shows.AddLot(request, metadata=clients.seller)
    assert again.lot.SerializeToString() == lot.SerializeToString()
    assert again.show == await stage.show()
    request.new_lot.title = "Another"
    refused = await refusal_of(clients.shows.AddLot, request, clients.seller)
    assert (refused.code, refused.reason) == (INVALID, "REQUEST_ID_REUSED")
    assert len((await stage.show()).lot_ids) == 1
    rerun = lot_request((await Stage.announce(clients)).show_id, rerun_auction_id=lot.auction_id)
    once = await clients.shows.AddLot(rerun, metadata=clients.seller)
    twice = await clients.shows.AddLot(rerun, metadata=clients.seller)
    assert twice.SerializeToString() == once.SerializeToString()
    assert once.lot.reserve_status == auction_pb2.RESERVE_STATUS_NOT_MET
    await check_events(shard, stage)


async def test_a_request_id_of_another_command_adds_no_lot(clients: AuctionClients) -> None:
    stage = await Stage.announce(clients)
    request_id = new_id()
    await clients.draft(request_id=request_id)
    refused = await stage.refused("AddLot", request_id=request_id)
    assert (refused.code, refused.reason) == (INVALID, "REQUEST_ID_REUSED")
    assert not (await stage.show()).lot_ids


async def test_somebody_elses_show_is_not_found(clients: AuctionClients) -> None:
    stage = await Stage.announce(clients)
    other = clients.person("SELLER")
    nowhere = [Stage(clients, new_id()), Stage(clients, new_id(shard=77))]
    for command in (
        "UpdateShow", "AddLot", "ReorderLots", "StartShow", "OpenNextLot", "PauseLot",
        "ResumeLot", "EndShow", "GetShow", "BookmarkShow",
    ):  # fmt: skip
        refusals = [await one.refused(command) for one in nowhere]
        if command not in {"GetShow", "BookmarkShow"}:
            refusals.append(await stage.refused(command, by=other))
        for refused in refusals:
            assert (refused.code, refused.reason) == (NOT_FOUND, "SHOW_NOT_FOUND"), command
    assert (await stage.show()).etag == "1"
    lot_id = await stage.add()
    elsewhere = await clients.shows.CreateShow(show_request(), metadata=other)
    for auction_id in (lot_id, new_id(), new_id(shard=77)):
        request = lot_request(elsewhere.show.show_id, rerun_auction_id=auction_id)
        refused = await refusal_of(clients.shows.AddLot, request, other)
        assert (refused.code, refused.reason) == (NOT_FOUND, "AUCTION_NOT_FOUND")


async def test_a_show_is_changed_until_it_has_ended(clients: AuctionClients, shard: Shard) -> None:
    stage = await Stage.announce(clients)
    first = await stage.show()
    changed = (await stage.do("UpdateShow", etag=first.etag, description="They tick.")).show
    assert (changed.title, changed.description) == (first.title, "They tick.")
    refused = await stage.refused("UpdateShow", etag=first.etag, title="Monday watches")
    assert (refused.code, refused.reason) == (ABORTED, "ETAG_MISMATCH")
    await stage.do("StartShow")
    refused = await stage.refused("UpdateShow", starts_at=in_minutes(60))
    assert (refused.code, refused.reason) == (PRECONDITION, "SHOW_STATE_INVALID")
    await stage.do("UpdateShow", title="Monday watches")
    await stage.do("EndShow")
    for command in ("UpdateShow", "AddLot", "ReorderLots", "StartShow", "OpenNextLot", "EndShow"):
        refused = await stage.refused(command)
        assert (refused.code, refused.reason) == (PRECONDITION, "SHOW_STATE_INVALID"), command
        assert refused.metadata == {"state": "ENDED"}
    await check_events(shard, stage)


@pytest.mark.parametrize(
    "starts_at", [in_minutes(-1), in_minutes(60 * 24 * 366), Timestamp(seconds=10**12)]
)
async def test_a_show_starts_within_a_year(clients: AuctionClients, starts_at: Timestamp) -> None:
    request = messages.CreateShowRequest(request_id=new_id(), title="x", starts_at=starts_at)
    refused = await refusal_of(clients.shows.CreateShow, request, clients.seller)
    assert refused.code is INVALID
    assert refused.reason in {"TERMS_INVALID", "INVALID_REQUEST"}


async def test_a_full_show_takes_no_more_lots(clients: AuctionClients, shard: Shard) -> None:
    stage = await Stage.announce(clients)
    async with shard.transaction() as connection:
        await connection.execute(
            "update shows set lot_ids = array(select gen_random_uuid() from"
            " generate_series(1, 499)) where show_id = %s",
            (stage.show_id,),
        )
    await stage.add()
    refused = await stage.refused("AddLot")
    assert (refused.code, refused.reason) == (PRECONDITION, "SHOW_FULL")


async def pages_of(
    clients: AuctionClients, metadata: Metadata | None = None, **fields: Any
) -> list[str]:
    """Return the ids of a whole list, page by page."""
    found: list[str] = []
    token = ""
    while True:
        page = await clients.shows.ListShows(
            messages.ListShowsRequest(page_size=2, page_token=token, **fields),
            metadata=metadata or [],
        )
        found += [show.show_id for show in page.shows]
        token = page.next_page_token
        if not token:
            return found


async def test_shows_are_listed_by_state_seller_and_bookmark(clients: AuctionClients) -> None:
    stages = [
        await Stage.announce(clients, starts_at=in_minutes(60 - number)) for number in range(5)
    ]
    ids = [stage.show_id for stage in stages]
    await stages[0].do("StartShow")
    own: dict[str, Any] = {"seller_id": clients.seller_id}
    announced = show_pb2.SHOW_STATE_SCHEDULED
    assert await pages_of(clients, **own) == ids[:1]
    assert await pages_of(clients, **own, state=announced) == ids[:0:-1]
    ada = clients.person()
    for show_id in (ids[2], ids[4]):
        request = messages.BookmarkShowRequest(show_id=show_id)
        await clients.shows.BookmarkShow(request, metadata=ada)
    marked: dict[str, Any] = {"bookmarked_only": True, "state": announced}
    assert await pages_of(clients, ada, **marked) == [ids[4], ids[2]]
    assert await pages_of(clients, **marked) == []
    assert [(await stages[n].get(ada)).bookmarked for n in (2, 3)] == [True, False]
    request = messages.BookmarkShowRequest(show_id=ids[4], remove=True)
    await clients.shows.BookmarkShow(request, metadata=ada)
    assert await pages_of(clients, ada, **marked) == [ids[2]]
    refused = await refusal_of(clients.shows.ListShows, messages.ListShowsRequest(page_token="x"))
    assert (refused.code, refused.reason) == (INVALID, "PAGE_TOKEN_INVALID")
