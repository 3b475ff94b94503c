"""Receipts, their keys and the verification of bid logs, as people at the gateway meet them."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToJson

from blytz.auction.v1 import auction_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from blytz_client.receipts import Receipt, check_receipt, read_keys
from fakes.auction_books import bid_of, terms_of
from fakes.auction_service import AuctionClients, Metadata, bid_request, usd
from fakes.auction_shards import auctions_on, live_auction, only, rows_of
from fakes.mesh import refusal_of
from kernel.ids import new_id
from svc_auction.application.verify_bid_log import VerifyBidLog
from svc_auction.domain.bidding import accept_bid
from svc_auction.infrastructure.postgres_bid_log import PostgresBidLogs
from svc_auction.infrastructure.shards import Shard, Shards

NOT_FOUND = grpc.StatusCode.NOT_FOUND
SECOND_PRICE = auction_pb2.AuctionTerms(format=auction_pb2.AUCTION_FORMAT_SEALED_SECOND_PRICE)


async def place(
    clients: AuctionClients, auction_id: str, maximum_minor: int, bidder: Metadata
) -> auction_pb2.Bid:
    placed = await clients.edge.PlaceBid(bid_request(auction_id, maximum_minor), metadata=bidder)
    return placed.bid


async def receipt_of(clients: AuctionClients, bid: auction_pb2.Bid, caller: Metadata) -> Receipt:
    """Get a receipt, and check it with the published keys as anyone would have them."""
    answer = await clients.edge.GetBidReceipt(
        messages.GetBidReceiptRequest(auction_id=bid.auction_id, bid_id=bid.bid_id),
        metadata=caller,
    )
    keys = await clients.edge.GetReceiptKeys(messages.GetReceiptKeysRequest())
    return check_receipt(answer.receipt, read_keys(MessageToJson(keys)))


async def verified(
    clients: AuctionClients,
    auction_id: str,
    caller: Metadata | None = None,
    *,
    without: str = "",
) -> messages.VerifyBidLogResponse:
    return await clients.edge.VerifyBidLog(
        messages.VerifyBidLogRequest(auction_id=auction_id, without_bidder_id=without),
        metadata=caller or [],
    )


async def close(clients: AuctionClients, auction_id: str) -> None:
    request = messages.CloseAuctionRequest(auction_id=auction_id)
    await clients.edge.CloseAuction(request, metadata=clients.seller)


async def test_a_receipt_is_what_was_bid(clients: AuctionClients) -> None:
    auction_id, ada_id = await clients.live(), new_id()
    ada, bob = clients.person(user_id=ada_id), clients.person()
    first = await place(clients, auction_id, 20_00, ada)
    second = await place(clients, auction_id, 9_00, bob)
    receipt = await receipt_of(clients, first, ada)
    assert (receipt.auction_id, receipt.bid_id, receipt.bidder_id) == (
        auction_id,
        first.bid_id,
        ada_id,
    )
    assert (receipt.maximum_minor, receipt.price_minor, receipt.whole) == (20_00, 1, True)
    assert receipt.placed_at == first.placed_at.ToDatetime(tzinfo=UTC)
    assert receipt.record_hash == first.record_hash
    assert abs((datetime.now(UTC) - receipt.issued_at).total_seconds()) < 60
    assert (await receipt_of(clients, second, bob)).previous_hash == first.record_hash


async def test_receipts_are_for_the_bidder_and_for_moderators(clients: AuctionClients) -> None:
    auction_id, bidder = await clients.live(), clients.person()
    bid = await place(clients, auction_id, 20_00, bidder)
    for role in ("MODERATOR", "ADMIN"):
        assert (await receipt_of(clients, bid, clients.person(role))).bid_id == bid.bid_id
    request = messages.GetBidReceiptRequest(auction_id=auction_id, bid_id=bid.bid_id)
    for other in (clients.person(), clients.seller):
        refused = await refusal_of(clients.edge.GetBidReceipt, request, other)
        assert (refused.code, refused.reason) == (NOT_FOUND, "BID_NOT_FOUND")
    for changes, reason in (
        ({"bid_id": new_id()}, "BID_NOT_FOUND"),
        ({"auction_id": new_id()}, "AUCTION_NOT_FOUND"),
        ({"auction_id": (await clients.draft()).auction_id}, "AUCTION_NOT_FOUND"),
        ({"auction_id": await clients.live()}, "BID_NOT_FOUND"),
    ):
        changed = messages.GetBidReceiptRequest(auction_id=auction_id, bid_id=bid.bid_id)
        changed.MergeFrom(messages.GetBidReceiptRequest(**changes))
        refused = await refusal_of(clients.edge.GetBidReceipt, changed, bidder)
        assert (refused.code, refused.reason) == (NOT_FOUND, reason)


async def test_ids_in_capitals_are_the_same_ids(clients: AuctionClients) -> None:
    auction_id, bidder = await clients.live(), clients.person()
    bid = await place(clients, auction_id, 20_00, bidder)
    loud = auction_pb2.Bid(auction_id=bid.auction_id.upper(), bid_id=bid.bid_id.upper())
    assert (await receipt_of(clients, loud, bidder)).bid_id == bid.bid_id
    assert (await verified(clients, auction_id.upper())).valid


async def test_a_sealed_auction_tells_nothing_before_its_end(clients: AuctionClients) -> None:
    auction_id = await clients.live(terms=SECOND_PRICE)
    ada, moderator = clients.person(), clients.person("MODERATOR")
    await place(clients, auction_id, 20_00, clients.person())
    bid = await place(clients, auction_id, 9_00, ada)
    receipt = await receipt_of(clients, bid, ada)
    assert (receipt.whole, receipt.price_minor, receipt.maximum_minor) == (False, None, 9_00)
    log = await verified(clients, auction_id, moderator, without=new_id())
    assert (log.valid, log.record_count, log.head) == (True, 2, bid.record_hash)
    assert not log.HasField("price")
    assert not log.HasField("counterfactual_price")
    assert log.leader_alias == ""
    await close(clients, auction_id)
    receipt = await receipt_of(clients, bid, ada)
    assert (receipt.whole, receipt.price_minor) == (True, 9_00)
    log = await verified(clients, auction_id, moderator, without=receipt.bidder_id)
    assert (log.price, log.counterfactual_price) == (usd(9_00), usd(1))
    ended = (await clients.get(auction_id)).auction
    assert log.leader_alias == ended.leader_alias != ""


async def test_anyone_may_recompute_an_auction(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    empty = await verified(clients, auction_id)
    assert (empty.valid, empty.record_count, empty.head, empty.leader_alias) == (True, 0, b"", "")
    assert empty.price == usd(1)
    for maximum_minor in (20_00, 9_00, 30_00):
        await place(clients, auction_id, maximum_minor, clients.person())
    shown = (await clients.get(auction_id)).auction
    log = await verified(clients, auction_id)
    assert (log.valid, log.first_fault_sequence, log.fault) == (True, 0, "")
    assert (log.record_count, log.head) == (3, shown.bid_log_head)
    assert (log.price, log.leader_alias) == (shown.price, shown.leader_alias)
    assert not log.HasField("counterfactual_price")
    await close(clients, auction_id)
    assert (await verified(clients, auction_id)).valid


async def test_a_log_with_a_retraction_in_it(clients: AuctionClients) -> None:
    auction_id, ada = await clients.live(), clients.person()
    await place(clients, auction_id, 20_00, clients.person())
    bid = await place(clients, auction_id, 30_00, ada)
    await clients.edge.RetractBid(
        messages.RetractBidRequest(
            request_id=new_id(),
            auction_id=auction_id,
            bid_id=bid.bid_id,
            reason=messages.RETRACTION_REASON_TYPING_ERROR,
        ),
        metadata=ada,
    )
    later = await place(clients, auction_id, 25_00, ada)
    log = await verified(clients, auction_id)
    assert (log.valid, log.fault, log.record_count) == (True, "", 4)
    assert log.price == usd(20_50)
    receipt = await receipt_of(clients, later, ada)
    assert receipt.previous_hash not in {b"", bid.record_hash}, "that of the retraction"


async def test_only_moderators_leave_a_bidder_out(clients: AuctionClients) -> None:
    auction_id, shill_id = await clients.live(), new_id()
    await place(clients, auction_id, 20_00, clients.person())
    await place(clients, auction_id, 5_00, clients.person())
    await place(clients, auction_id, 19_00, clients.person(user_id=shill_id))
    for role in ("MODERATOR", "ADMIN"):
        log = await verified(clients, auction_id, clients.person(role), without=shill_id.upper())
        assert (log.price, log.counterfactual_price) == (usd(19_50), usd(5_50))
    for caller in ([], clients.person(), clients.seller):
        for asked_id in (auction_id, new_id()):
            request = messages.VerifyBidLogRequest(auction_id=asked_id, without_bidder_id=shill_id)
            refused = await refusal_of(clients.edge.VerifyBidLog, request, caller)
            assert refused.code is grpc.StatusCode.PERMISSION_DENIED
            assert (refused.reason, refused.metadata) == ("ROLE_MISSING", {"role": "MODERATOR"})


async def test_what_nobody_may_see_cannot_be_verified(clients: AuctionClients) -> None:
    for auction_id in (new_id(), new_id(shard=7), (await clients.draft()).auction_id):
        request = messages.VerifyBidLogRequest(auction_id=auction_id)
        refused = await refusal_of(clients.edge.VerifyBidLog, request)
        assert (refused.code, refused.reason) == (NOT_FOUND, "AUCTION_NOT_FOUND")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("update bids set maximum_minor = 9001 where bid_id = %s", "hash"),
        ("update bids set price_minor = 951 where bid_id = %s", "hash"),
        ("update bids set bidder_id = leader_id where bid_id = %s", "hash"),
        ("update bids set leader_id = bidder_id where bid_id = %s", "leader"),
        ("update bids set bid_count = 7 where bid_id = %s", "count"),
        ("update bids set retracted_at = now() where bid_id = %s", "taken back"),
        ("update bids set sequence = -1 where bid_id = %s", "number"),
    ],
)
async def test_a_row_that_was_changed_is_found(
    clients: AuctionClients, shard: Shard, statement: str, words: str
) -> None:
    auction_id = await clients.live()
    await place(clients, auction_id, 20_00, clients.person())
    bid = await place(clients, auction_id, 9_00, clients.person())
    await place(clients, auction_id, 30_00, clients.person())
    async with shard.transaction() as connection:
        await connection.execute(statement.encode(), (bid.bid_id,))
    log = await verified(clients, auction_id)
    assert not log.valid
    assert words in log.fault
    assert log.first_fault_sequence == (0 if words == "number" else bid.sequence)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("delete from bids where auction_id = %s and maximum_minor = 3000", "another last hash"),
        ("update books set price_minor = 9 where auction_id = %s", "another price"),
    ],
)
async def test_a_book_that_does_not_fit_its_log_is_found(
    clients: AuctionClients, shard: Shard, statement: str, words: str
) -> None:
    auction_id = await clients.live()
    for maximum_minor in (20_00, 30_00):
        await place(clients, auction_id, maximum_minor, clients.person())
    async with shard.transaction() as connection:
        await connection.execute(statement.encode(), (auction_id,))
    log = await verified(clients, auction_id)
    assert (log.valid, log.first_fault_sequence) == (False, 0)
    assert words in log.fault


async def test_a_large_log_leaves_others_their_turns(shards: Shards) -> None:
    shard, count = only(shards), 20_000
    auction_id = await live_auction(auctions_on(shards), terms_of(seller_id=new_id()))
    await write_log(shards, auction_id, count)
    turns, done = 0, asyncio.Event()

    async def take_turns() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    taking = asyncio.create_task(take_turns())
    log = await VerifyBidLog(logs=PostgresBidLogs(shards=shards))(
        auction_id, viewer_id=None, without_bidder_id=new_id()
    )
    done.set()
    await taking
    assert (log.finding.fault, log.finding.record_count) == ("", count)
    assert log.counterfactual_minor == log.finding.price_minor
    assert turns > count // 1_000
    assert await rows_of(shard, "select count(*) from pg_cursors") == [(0,)]


async def write_log(shards: Shards, auction_id: str, count: int) -> None:
    """Write a long log at once, as two bidders who outbid each other make it."""
    auction = await auctions_on(shards).get(auction_id)
    terms, book, bidders = auction.terms, auction.book, (new_id(), new_id())
    rows: list[tuple[Any, ...]] = []
    now = auction.listing.created_at
    for number in range(1, count + 1):
        bid = bid_of(bidders[number % 2], 100_00 * number, auction_id=auction_id)
        event, _ = accept_bid(terms, book, bid, now)
        rows.append(
            (
                *(auction_id, event.sequence, 1, event.bid_id, event.bidder_id, bid.request_id),
                *(event.maximum_minor, event.price_minor, event.leader_id, event.bid_count),
                *(now, event.record_hash, event.salt),
            )
        )
    async with only(shards).transaction() as connection:
        async with (
            connection.cursor() as cursor,
            cursor.copy(
                "copy bids (auction_id, sequence, epoch, bid_id, bidder_id, request_id,"
                " maximum_minor, price_minor, leader_id, bid_count, placed_at, record_hash, salt)"
                " from stdin"
            ) as copy,
        ):
            for row in rows:
                await copy.write_row(row)
        await connection.execute(
            "update books set sequence = %s, price_minor = %s, leader_id = %s,"
            " leader_maximum_minor = %s, bid_count = %s, log_head = %s where auction_id = %s",
            (
                *(book.sequence, book.price_minor, book.leader_id, book.leader_maximum_minor),
                *(book.bid_count, book.log_head, auction_id),
            ),
        )
