"""Live shows as their sellers and bidders meet them at the gateway."""

import asyncio
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from blytz.auction.v1 import auction_pb2, show_pb2
from blytz.auction.v1 import auction_service_pb2 as auction_messages
from fakes.auction_service import AuctionClients, in_minutes, usd
from fakes.auction_shards import end_in, events_of
from fakes.live_shows import Stage, check_events, new_lot
from kernel.ids import new_id
from svc_auction.infrastructure.shards import Shard

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
ABORTED = grpc.StatusCode.ABORTED


async def test_an_evening_of_lots(clients: AuctionClients, shard: Shard) -> None:
    stage = await Stage.announce(clients)
    ada, bob = clients.person(), clients.person()
    tank, palm, xbox, pen = [await stage.add(t) for t in ("Tank", "Palm", "Xbox", "Pen")]
    assert (await stage.bid(palm, 20_00, ada)).leading
    refused = await stage.refused("OpenNextLot")
    assert (refused.code, refused.reason) == (PRECONDITION, "SHOW_STATE_INVALID")
    assert refused.metadata == {"state": "SCHEDULED"}
    started = (await stage.do("StartShow")).show
    assert started.state == show_pb2.SHOW_STATE_LIVE
    assert started.starts_at.seconds <= in_minutes(1).seconds

    opened = await stage.do("OpenNextLot", etag=started.etag)
    assert (opened.lot.auction_id, opened.lot.state) == (tank, auction_pb2.AUCTION_STATE_LIVE)
    refused = await stage.refused("OpenNextLot")
    assert (refused.code, refused.reason) == (PRECONDITION, "LOT_OPEN")
    assert refused.metadata == {"auction_id": tank}
    await stage.bid(tank, 5_00, bob)
    assert (await stage.close(tank)).outcome == auction_pb2.AUCTION_OUTCOME_SOLD

    opened = await stage.do("OpenNextLot", duration=Duration(seconds=60))
    assert (opened.lot.auction_id, opened.lot.bid_count) == (palm, 1)
    assert opened.lot.ends_at.seconds - opened.lot.starts_at.seconds == 60
    assert (await stage.bid(palm, 10_00, bob)).price == usd(11_00)
    await stage.close(palm)

    assert (await stage.do("OpenNextLot")).lot.auction_id == xbox
    assert (await stage.close(xbox)).outcome == auction_pb2.AUCTION_OUTCOME_NO_BIDS
    again = (await stage.do("AddLot", rerun_auction_id=xbox)).lot
    assert (again.title, again.state) == ("Xbox", auction_pb2.AUCTION_STATE_QUEUED)
    refused = await stage.refused("AddLot", rerun_auction_id=tank)
    assert (refused.code, refused.reason) == (PRECONDITION, "STATE_TRANSITION_INVALID")
    assert refused.metadata == {"state": "ENDED"}

    assert (await stage.do("OpenNextLot")).lot.auction_id == pen
    await stage.bid(pen, 7_00, ada)
    ended = (await stage.do("EndShow")).show
    assert (ended.state, ended.HasField("ended_at")) == (show_pb2.SHOW_STATE_ENDED, True)
    whole = await stage.get()
    assert [lot.auction_id for lot in whole.lots] == list(whole.show.lot_ids)
    assert list(whole.show.lot_ids) == [tank, palm, xbox, pen, again.auction_id]
    assert [lot.outcome for lot in whole.lots] == [
        auction_pb2.AUCTION_OUTCOME_SOLD,
        auction_pb2.AUCTION_OUTCOME_SOLD,
        auction_pb2.AUCTION_OUTCOME_NO_BIDS,
        auction_pb2.AUCTION_OUTCOME_SOLD,
        auction_pb2.AUCTION_OUTCOME_CANCELLED,
    ]
    added, opened_types = ["show.updated"] * 4, ["show.updated"] * 5
    assert await check_events(shard, stage) == [
        "show.scheduled", *added, "show.started", *opened_types, "show.ended"
    ]  # fmt: skip
    (*_, dropped) = await events_of(shard, again.auction_id)
    assert dropped.auction_cancelled.reason == "The show has ended."


async def test_a_pause_stops_the_clock(clients: AuctionClients, shard: Shard) -> None:
    stage = await Stage.announce(clients)
    lot_id = await stage.add()
    refused = await stage.refused("PauseLot")
    assert (refused.code, refused.reason) == (PRECONDITION, "SHOW_STATE_INVALID")
    await stage.do("StartShow")
    for command in ("PauseLot", "ResumeLot"):
        refused = await stage.refused(command)
        assert (refused.code, refused.reason) == (PRECONDITION, "NO_LOT_OPEN")
    opened = (await stage.do("OpenNextLot")).lot
    refused = await stage.refused("ResumeLot")
    assert (refused.code, refused.reason) == (PRECONDITION, "STATE_TRANSITION_INVALID")

    paused = (await stage.do("PauseLot")).lot
    assert (paused.state, paused.HasField("paused_at")) == (auction_pb2.AUCTION_STATE_PAUSED, True)
    refused = await stage.bid_refused(lot_id, 5_00, clients.person())
    assert (refused.reason, refused.metadata) == ("AUCTION_NOT_LIVE", {"state": "PAUSED"})
    assert (await stage.refused("OpenNextLot")).reason == "LOT_OPEN"
    assert (await stage.refused("PauseLot")).reason == "STATE_TRANSITION_INVALID"

    resumed = (await stage.do("ResumeLot")).lot
    stopped_for = resumed.paused_for.ToTimedelta()
    assert stopped_for.total_seconds() > 0
    assert resumed.ends_at.ToDatetime() - opened.ends_at.ToDatetime() == stopped_for
    assert not resumed.HasField("paused_at")
    assert (await stage.bid(lot_id, 5_00, clients.person())).leading
    await check_events(shard, stage)


async def test_a_lot_whose_time_is_over_does_not_hold_the_next_one_up(
    clients: AuctionClients, shard: Shard
) -> None:
    stage = await Stage.announce(clients)
    first, second = await stage.add(), await stage.add()
    await stage.do("StartShow")
    await stage.do("OpenNextLot")
    await stage.bid(first, 5_00, clients.person())
    await end_in(shard, first, -1)
    assert (await stage.do("OpenNextLot")).lot.auction_id == second
    assert (await stage.lot(first)).outcome == auction_pb2.AUCTION_OUTCOME_SOLD
    await stage.close(second)
    refused = await stage.refused("OpenNextLot")
    assert (refused.code, refused.reason) == (PRECONDITION, "NO_LOT_QUEUED")
    await check_events(shard, stage)


async def test_a_new_order_of_what_waits(clients: AuctionClients, shard: Shard) -> None:
    stage = await Stage.announce(clients)
    ids = [await stage.add() for _ in range(4)]
    stale = (await stage.show()).etag
    await stage.do("StartShow")
    await stage.do("OpenNextLot")
    wish = [ids[3], ids[1], ids[2]]
    refused = await stage.refused("ReorderLots", etag=stale, lot_ids=wish)
    assert (refused.code, refused.reason) == (ABORTED, "ETAG_MISMATCH")
    for wrong in (wish[:2], [*wish, ids[0]], [*wish, ids[1]]):
        refused = await stage.refused("ReorderLots", lot_ids=wrong)
        assert (refused.code, refused.reason) == (INVALID, "LOT_ORDER_INVALID")
    etag = (await stage.show()).etag
    show = (await stage.do("ReorderLots", etag=etag, lot_ids=wish)).show
    assert list(show.lot_ids) == [ids[0], *wish]
    await stage.close(ids[0])
    assert (await stage.do("OpenNextLot")).lot.auction_id == ids[3]
    await check_events(shard, stage)


async def test_a_lot_that_was_called_off_is_left_out(clients: AuctionClients) -> None:
    stage = await Stage.announce(clients)
    ids = [await stage.add() for _ in range(3)]
    await clients.edge.CancelAuction(
        auction_messages.CancelAuctionRequest(auction_id=ids[0], reason="Broken."),
        metadata=clients.seller,
    )
    show = (await stage.do("ReorderLots", lot_ids=[ids[2], ids[1]])).show
    assert list(show.lot_ids) == [ids[0], ids[2], ids[1]]
    await stage.do("StartShow")
    assert (await stage.do("OpenNextLot")).lot.auction_id == ids[2]


async def test_of_two_changes_at_once_one_is_aborted(clients: AuctionClients, shard: Shard) -> None:
    stage = await Stage.announce(clients)
    ids = [await stage.add() for _ in range(6)]
    orders = [ids[shift:] + ids[:shift] for shift in range(1, 6)]
    etag = (await stage.show()).etag
    answers: list[Any] = await asyncio.gather(
        *(stage.do("ReorderLots", etag=etag, lot_ids=order) for order in orders),
        return_exceptions=True,
    )
    kept = [answer for answer in answers if not isinstance(answer, BaseException)]
    aborted = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert (len(kept), {error.code() for error in aborted}) == (1, {ABORTED})
    assert (await stage.show()) == kept[0].show
    assert list(kept[0].show.lot_ids) in orders
    await asyncio.gather(*(stage.do("AddLot") for _ in range(5)), stage.do("StartShow"))
    show = await stage.show()
    assert list(show.lot_ids[:6]) == list(kept[0].show.lot_ids)
    assert len(set(show.lot_ids)) == 11
    await check_events(shard, stage)


async def test_only_its_seller_sees_who_leads_a_lot(clients: AuctionClients) -> None:
    stage = await Stage.announce(clients)
    lot_id, ada_id = await stage.add(), new_id()
    await stage.bid(lot_id, 5_00, clients.person(user_id=ada_id))
    for metadata in ([], clients.person(), clients.person("SELLER")):
        assert ada_id not in str(await stage.get(metadata))
    assert (await stage.get(clients.seller)).lots[0].leader_id == ada_id


async def test_a_dutch_lot_takes_no_bids_ahead(clients: AuctionClients) -> None:
    stage = await Stage.announce(clients)
    falling = auction_pb2.FallingPrice(drop_minor=1, every=Duration(seconds=60), floor_minor=1)
    dutch = new_lot(format=auction_pb2.AUCTION_FORMAT_DUTCH, falling_price=falling)
    lot_id = (await stage.do("AddLot", new_lot=dutch)).lot.auction_id
    refused = await stage.bid_refused(lot_id, 5_00, clients.person())
    assert (refused.reason, refused.metadata) == ("AUCTION_NOT_LIVE", {"state": "QUEUED"})
    await stage.do("StartShow")
    await stage.do("OpenNextLot")
    assert (await stage.bid(lot_id, 5_00, clients.person())).won
    assert (await stage.lot(lot_id)).outcome == auction_pb2.AUCTION_OUTCOME_SOLD
