"""Auctions on two databases: where they go, how lists join them, what one that is away hides."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fakes.auction_books import bid_of, terms_of
from fakes.auction_shards import (
    ALIASES,
    auction_database,
    auctions_on,
    live_auction,
    new_auction,
    request_id_for,
)
from fakes.auction_shards import shards_on as opened_shards
from kernel.errors import RequestIdReused
from kernel.ids import new_id, shard_of
from servicekit.postgres import POOL_WAIT_S
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from svc_auction.application.ports import ListPosition
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import State
from svc_auction.domain.errors import AuctionNotFound, ShardUnavailable
from svc_auction.infrastructure.bid_lane import ShardLanes
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions, list_position
from svc_auction.infrastructure.shards import Shards


@pytest.fixture(scope="module")
def second_url(postgres_server: Postgres) -> str:
    return auction_database(postgres_server)


@pytest.fixture
async def both(auction_url: str, second_url: str) -> AsyncIterator[Shards]:
    async with opened_shards({3: auction_url, 200: second_url}) as shards:
        yield shards


async def pages(
    auctions: PostgresAuctions, seller_id: str, state: State, *, limit: int
) -> list[list[Auction]]:
    found: list[list[Auction]] = []
    after: ListPosition | None = None
    while not found or len(found[-1]) == limit:
        page = await auctions.list_page(state=state, seller_id=seller_id, after=after, limit=limit)
        found.append(list(page))
        after = ListPosition(*list_position(page[-1])) if page else None
    return found


async def test_a_list_joins_the_shards_soonest_end_first(both: Shards) -> None:
    auctions = auctions_on(both)
    terms = terms_of(seller_id=new_id())
    ids = [
        await live_auction(
            auctions,
            terms,
            minutes=60 - (number * 7) % 40,
            request_id=request_id_for(both, (3, 200)[number % 2]),
        )
        for number in range(11)
    ]
    assert {shard_of(auction_id) for auction_id in ids} == {3, 200}
    for limit in (1, 4, 11, 50):
        listed = [a for page in await pages(auctions, terms.seller_id, State.LIVE, limit=limit)
                  for a in page]  # fmt: skip
        assert sorted(a.listing.auction_id for a in listed) == sorted(ids)
        assert [list_position(a) for a in listed] == sorted(list_position(a) for a in listed)


async def test_drafts_are_listed_by_their_creation(both: Shards) -> None:
    auctions = auctions_on(both)
    terms = terms_of(seller_id=new_id())
    ids = [(await auctions.create(new_auction(terms))).listing.auction_id for _ in range(5)]
    found = await pages(auctions, terms.seller_id, State.DRAFT, limit=2)
    assert [a.listing.auction_id for page in found for a in page] == ids
    assert await pages(auctions, terms.seller_id, State.LIVE, limit=2) == [[]]


async def test_new_auctions_go_to_open_shards_and_a_replay_finds_them_anywhere(
    both: Shards, auction_url: str, second_url: str
) -> None:
    new = [new_auction(request_id=request_id_for(both, number)) for number in (3, 200) * 3]
    first = [await auctions_on(both).create(one) for one in new]
    assert {shard_of(auction.listing.auction_id) for auction in first} == {3, 200}
    urls = {3: auction_url, 200: second_url}
    async with opened_shards(urls, open_numbers=[200]) as fewer_open:
        auctions = auctions_on(fewer_open)
        assert [await auctions.create(one) for one in new] == first
        later = [await auctions.create(new_auction()) for _ in range(8)]
        assert {shard_of(auction.listing.auction_id) for auction in later} == {200}


async def test_a_bid_goes_to_its_auctions_shard(both: Shards) -> None:
    auctions, lanes = auctions_on(both), ShardLanes(shards=both, aliases=ALIASES)
    for _ in range(4):
        auction_id = await live_auction(auctions)
        await lanes.place(bid_of(new_id(), 50_00, auction_id=auction_id))
        assert (await auctions.get(auction_id)).book.bid_count == 1
    with pytest.raises(AuctionNotFound):
        await lanes.place(bid_of(new_id(), 50_00, auction_id=new_id(shard=4)))


async def test_a_shard_that_is_away_leaves_the_others_auctions_alone(
    auction_url: str, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    async with opened_shards({3: auction_url}) as one:
        auction_id = await live_auction(auctions_on(one))
    async with opened_shards({3: auction_url, 200: nowhere}) as shards:
        lanes = ShardLanes(shards=shards, aliases=ALIASES)
        await lanes.place(bid_of(new_id(), 50_00, auction_id=auction_id))
        assert (await auctions_on(shards).get(auction_id)).book.bid_count == 1
        with pytest.raises(ShardUnavailable):
            await lanes.place(bid_of(new_id(), 50_00, auction_id=new_id(shard=200)))


async def test_a_shard_that_is_away_stops_no_creation_on_another(
    auction_url: str, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    async with opened_shards({3: auction_url, 200: nowhere}) as shards:
        auctions = auctions_on(shards)
        new = new_auction(request_id=request_id_for(shards, 3))
        created = await auctions.create(new)
        assert shard_of(created.listing.auction_id) == 3
        assert await auctions.create(new) == created
        with pytest.raises(RequestIdReused):
            await auctions.create(replace(new, body_hash=bytes(32)))
        with pytest.raises(ShardUnavailable):
            await auctions.create(new_auction(request_id=request_id_for(shards, 200)))


async def test_a_replay_is_answered_though_the_shard_it_would_go_to_now_is_away(
    auction_url: str, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    urls = {3: auction_url, 200: nowhere}
    async with opened_shards(urls, open_numbers=[3]) as before:
        new = new_auction(request_id=request_id_for(before, 3))
        created = await auctions_on(before).create(new)
    async with opened_shards(urls, open_numbers=[200]) as after:
        assert await auctions_on(after).create(new) == created


async def test_what_is_known_to_be_away_is_refused_at_once_and_leaves_others_ready(
    auction_url: str, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    async with opened_shards({200: nowhere, 3: auction_url}) as shards:
        with pytest.raises(ShardUnavailable):
            await shards.of(new_id(shard=200)).check()
        lanes = ShardLanes(shards=shards, aliases=ALIASES)
        started_s = time.monotonic()
        for _ in range(50):
            with pytest.raises(ShardUnavailable) as refusal:
                await lanes.place(bid_of(new_id(), 50_00, auction_id=new_id(shard=200)))
            assert refusal.value.retry_after_s
        assert time.monotonic() - started_s < POOL_WAIT_S * 5
        await shards.check()
    async with opened_shards({200: nowhere}) as none:
        with pytest.raises(ShardUnavailable):
            await none.check()
