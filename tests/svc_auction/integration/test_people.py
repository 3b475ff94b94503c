"""Who may bid: blocked and linked people, saved cards, and how every shard comes to know."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.events.v1.event_pb2 import Event
from fakes.auction_books import bid_of, terms_of
from fakes.auction_service import AuctionClients, bid_request
from fakes.auction_shards import (
    auction_database,
    auctions_on,
    live_auction,
    rows_of,
    shards_on,
)
from fakes.lane_bids import lane_on, verdict_of
from fakes.mesh import refusal_of
from fakes.people_events import BARS, CARDS, NOON, card, event_of, linked, note, only_of
from kernel.ids import new_id
from servicekit.background import running
from servicekit.events.outbox import OutboxEvent, append
from servicekit.events.relay import Relay
from servicekit.postgres import Database
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from svc_auction.application.block_bidder import BlockBidder
from svc_auction.application.ports import Block
from svc_auction.domain.errors import ShardUnavailable
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure.people_events import people_consumer
from svc_auction.infrastructure.postgres_people import ShardBlocks
from svc_auction.infrastructure.shards import Shard, Shards

MINUTE = timedelta(minutes=1)


async def refused_as(shard: Shard, auction_id: str, bidder_id: str) -> str:
    """Return the reason for which somebody's bid is refused, or nothing."""
    bid = bid_of(bidder_id, 50_00, auction_id=auction_id)
    return getattr(await verdict_of(lane_on(shard), bid), "reason", "")


@pytest.fixture(scope="module")
def second_url(postgres_server: Postgres) -> str:
    return auction_database(postgres_server)


@pytest.fixture
async def both(auction_url: str, second_url: str) -> AsyncIterator[Shards]:
    async with shards_on({3: auction_url, 200: second_url}) as shards:
        yield shards


def blocker_on(shards: Shards) -> BlockBidder:
    return BlockBidder(shards=[ShardBlocks(shard) for shard in shards])


async def test_a_blocked_bidder_is_let_in_again(clients: AuctionClients) -> None:
    auction_id = await clients.live()
    bidder_id = new_id()
    bidder = clients.person(user_id=bidder_id)
    await clients.edge.PlaceBid(bid_request(auction_id, 10_00), metadata=bidder)
    block = messages.BlockBidderRequest(bidder_id=bidder_id.upper())
    for _ in range(2):
        await clients.edge.BlockBidder(block, metadata=clients.seller)
    refused = await refusal_of(clients.edge.PlaceBid, bid_request(auction_id, 20_00), bidder)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "BIDDER_BLOCKED",
    )
    assert (await clients.get(auction_id)).auction.bid_count == 1
    unblock = messages.UnblockBidderRequest(bidder_id=bidder_id)
    for _ in range(2):
        await clients.edge.UnblockBidder(unblock, metadata=clients.seller)
    await clients.edge.PlaceBid(bid_request(auction_id, 20_00), metadata=bidder)


async def test_other_sellers_still_take_bids_of_a_blocked_bidder(clients: AuctionClients) -> None:
    bidder_id, other_seller_id = new_id(), new_id()
    await clients.edge.BlockBidder(
        messages.BlockBidderRequest(bidder_id=bidder_id), metadata=clients.seller
    )
    clients.seller_id = other_seller_id
    auction_id = await clients.live()
    bidder = clients.person(user_id=bidder_id)
    await clients.edge.PlaceBid(bid_request(auction_id, 10_00), metadata=bidder)


async def test_nobody_blocks_themselves(clients: AuctionClients) -> None:
    refused = await refusal_of(
        clients.edge.BlockBidder,
        messages.BlockBidderRequest(bidder_id=clients.seller_id),
        clients.seller,
    )
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert refused.fields == {"bidder_id"}


async def test_every_shard_knows_whom_a_seller_blocks(both: Shards) -> None:
    seller_id, bidder_id = new_id(), new_id()
    block = blocker_on(both)
    for blocked in (True, False, True):
        await block(seller_id=seller_id, bidder_id=bidder_id, blocked=blocked)
        for shard in both:
            assert await rows_of(shard, BARS, [seller_id]) == [(seller_id, bidder_id, 1, blocked)]


async def test_the_latest_word_counts_whatever_a_shards_clock_says(both: Shards) -> None:
    """A word of another replica is an hour ahead on one shard."""
    seller_id, bidder_id = new_id(), new_id()
    ahead = datetime.now(UTC) + timedelta(hours=1)
    first, *_ = both
    await ShardBlocks(first).write(Block(seller_id, bidder_id, barred=True, changed_at=ahead))
    await blocker_on(both)(seller_id=seller_id, bidder_id=bidder_id, blocked=False)
    for shard in both:
        rows = await rows_of(shard, "select barred from bars where seller_id = %s", seller_id)
        assert rows == [(False,)]


async def test_a_word_that_came_earlier_changes_nothing(both: Shards) -> None:
    seller_id, bidder_id = new_id(), new_id()
    first, second = (ShardBlocks(shard) for shard in both)
    words = [
        Block(seller_id, bidder_id, barred=False, changed_at=NOON),
        Block(seller_id, bidder_id, barred=True, changed_at=NOON),
        Block(seller_id, bidder_id, barred=False, changed_at=NOON - MINUTE),
    ]
    for word, same_word in zip(words, reversed(words), strict=True):
        await first.write(word)
        await second.write(same_word)
    for shard in both:
        assert await rows_of(shard, BARS, [seller_id]) == [(seller_id, bidder_id, 1, True)]


async def test_a_shard_that_is_away_is_told_by_repeating(
    auction_url: str, postgres_server: Postgres, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    seller_id, bidder_id = new_id(), new_id()
    words = {"seller_id": seller_id, "bidder_id": bidder_id}
    async with shards_on({3: nowhere, 200: auction_url}) as shards:
        with pytest.raises(ShardUnavailable) as away:
            await blocker_on(shards)(**words, blocked=True)
        assert away.value.retry_after_s is not None
        _, there = shards
        assert await rows_of(there, BARS, [seller_id]) == [(seller_id, bidder_id, 1, True)]
    async with shards_on({3: nowhere}) as shards:
        with pytest.raises(ShardUnavailable):
            await blocker_on(shards)(**words, blocked=True)
    back_url = await asyncio.to_thread(auction_database, postgres_server)
    async with shards_on({3: back_url, 200: auction_url}) as shards:
        await blocker_on(shards)(**words, blocked=True)
        for shard in shards:
            assert await rows_of(shard, BARS, [seller_id]) == [(seller_id, bidder_id, 1, True)]


async def test_linked_accounts_do_not_bid_on_each_others_auctions(
    shard: Shard, shards: Shards
) -> None:
    sue, ada = new_id(), new_id()
    auctions = auctions_on(shards)
    of_sue = await live_auction(auctions, terms_of(seller_id=sue))
    of_ada = await live_auction(auctions, terms_of(seller_id=ada))
    await note(shard, linked(sue, ada))
    assert await refused_as(shard, of_sue, ada) == "LINKED_ACCOUNT"
    assert await refused_as(shard, of_ada, sue) == "LINKED_ACCOUNT"
    assert await refused_as(shard, of_sue, new_id()) == ""
    await note(shard, linked(ada, sue, NOON + MINUTE, together=False), linked(sue, ada))
    assert await refused_as(shard, of_sue, ada) == ""
    assert await refused_as(shard, of_ada, sue) == ""


async def test_a_block_stays_when_accounts_are_unlinked(shard: Shard, shards: Shards) -> None:
    sue, ada = new_id(), new_id()
    auction_id = await live_auction(auctions_on(shards), terms_of(seller_id=sue))
    await blocker_on(shards)(seller_id=sue, bidder_id=ada, blocked=True)
    await note(shard, linked(sue, ada), linked(sue, ada, NOON + MINUTE, together=False))
    assert await refused_as(shard, auction_id, ada) == "BIDDER_BLOCKED"


async def test_a_seller_who_asks_for_cards_takes_bids_of_whoever_has_one(
    shard: Shard, shards: Shards
) -> None:
    terms = terms_of(seller_id=new_id(), funding=Funding.SAVED_CARD)
    auction_id = await live_auction(auctions_on(shards), terms)
    ada, bob = new_id(), new_id()
    assert await refused_as(shard, auction_id, ada) == "CARD_MISSING"
    await note(shard, card(ada), card(bob), card(bob, NOON + MINUTE, saved=False), card(bob))
    assert await refused_as(shard, auction_id, bob) == "CARD_MISSING"
    assert await refused_as(shard, auction_id, ada) == ""


@asynccontextmanager
async def told(
    shards: Shards, source: Database, kafka_bootstrap: str, *events: tuple[str, Event]
) -> AsyncIterator[None]:
    """Send events as other services do, through an outbox and the broker, to all shards."""
    relay = Relay(database=source, kafka_bootstrap=kafka_bootstrap, name="elsewhere")
    consumers = [people_consumer(shard, kafka_bootstrap=kafka_bootstrap) for shard in shards]
    async with source.transaction() as connection:
        await append(
            connection,
            [
                OutboxEvent(topic, event.aggregate_id, event.SerializeToString())
                for topic, event in events
            ],
        )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            running([relay.run, *(consumer.run for consumer in consumers)])
        )
        yield


async def test_what_other_services_tell_reaches_every_shard(
    both: Shards, bank_url: str, kafka_bootstrap: str
) -> None:
    sue, ada, bob = new_id(), new_id(), new_id()
    told_ids = [sue, ada]
    expected = {(sue, ada, 2, True), (ada, sue, 2, True)}
    async with (
        Database.open(bank_url) as source,
        told(
            both,
            source,
            kafka_bootstrap,
            ("user.events", event_of("user.join")),
            ("user.events", linked(sue, ada)),
            ("payment.events", card(bob)),
        ),
        asyncio.timeout(40),
    ):
        for shard in both:
            while set(await rows_of(shard, BARS, told_ids)) != expected:  # noqa: ASYNC110 - a row
                await asyncio.sleep(0.05)
            while await rows_of(shard, CARDS, [bob]) != [(bob, True)]:  # noqa: ASYNC110 - a row
                await asyncio.sleep(0.05)
    names = await rows_of(only_of(both, 200), "select distinct consumer from inbox")
    assert names == [("auction-200-people",)]
