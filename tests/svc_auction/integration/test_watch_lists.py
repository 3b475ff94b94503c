"""Watch lists across two shards, paged while they change; and as people at the gateway use them."""

import asyncio
import random
from collections.abc import AsyncIterator

import grpc
import pytest

from blytz.auction.v1 import auction_service_pb2 as messages
from fakes.auction_service import AuctionClients
from fakes.auction_shards import (
    auction_database,
    auctions_on,
    live_auction,
    new_auction,
    request_id_for,
    shards_on,
)
from fakes.mesh import refusal_of
from kernel.ids import new_id, shard_of
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from svc_auction.application.ports import ListPosition
from svc_auction.application.watch_auctions import WatchAuctions
from svc_auction.domain.errors import AuctionNotFound, ShardUnavailable
from svc_auction.infrastructure.postgres_watches import PostgresWatches
from svc_auction.infrastructure.shards import Shards

NUMBERS = (3, 200)


@pytest.fixture(scope="module")
def second_url(postgres_server: Postgres) -> str:
    return auction_database(postgres_server)


@pytest.fixture
async def both(auction_url: str, second_url: str) -> AsyncIterator[Shards]:
    async with shards_on({3: auction_url, 200: second_url}) as shards:
        yield shards


def watching(shards: Shards) -> WatchAuctions:
    return WatchAuctions(auctions=auctions_on(shards), watches=PostgresWatches(shards=shards))


async def on_both(shards: Shards, count: int) -> list[str]:
    """Return live auctions, on one shard and the other in turn."""
    auctions = auctions_on(shards)
    return [
        await live_auction(auctions, request_id=request_id_for(shards, NUMBERS[number % 2]))
        for number in range(count)
    ]


async def whole(watch: WatchAuctions, user_id: str, *, limit: int = 50) -> list[str]:
    """Return a list as its owner pages through it."""
    found: list[str] = []
    after: ListPosition | None = None
    while True:
        page = await watch.list_page(user_id, after=after, limit=limit)
        assert len(page.auctions) <= limit
        found += [auction.listing.auction_id for auction in page.auctions]
        after = page.next_after
        if after is None:
            return found


async def test_a_list_joins_the_shards_latest_added_first(both: Shards) -> None:
    watch, user_id = watching(both), new_id()
    ids = await on_both(both, 7)
    assert {shard_of(auction_id) for auction_id in ids} == set(NUMBERS)
    random.Random(7).shuffle(ids)
    for auction_id in ids:
        await watch.add(user_id, auction_id)
    for limit in (1, 2, 3, 6, 7, 8, 50):
        assert await whole(watch, user_id, limit=limit) == ids[::-1]
    last = await watch.list_page(user_id, after=None, limit=7)
    assert last.next_after is None
    assert await whole(watch, new_id()) == []


async def test_what_is_added_twice_keeps_its_place_and_what_is_removed_is_gone(
    both: Shards,
) -> None:
    watch, user_id, other_id = watching(both), new_id(), new_id()
    first, second, third = await on_both(both, 3)
    for auction_id in (first, second, third, first):
        await watch.add(user_id, auction_id)
    await watch.add(other_id, second)
    assert await whole(watch, user_id) == [third, second, first]
    for auction_id in (second, second, new_id(shard=3), new_id(shard=77)):
        await watch.remove(user_id, auction_id)
    assert await whole(watch, user_id) == [third, first]
    assert await whole(watch, other_id) == [second]
    await watch.add(user_id, first)
    await watch.add(user_id, second)
    assert await whole(watch, user_id) == [second, third, first]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_nothing_is_lost_or_shown_twice_while_the_list_grows(
    both: Shards, limit: int
) -> None:
    watch, user_id = watching(both), new_id()
    ids = await on_both(both, 20)
    there, later = ids[:8], ids[8:]
    for auction_id in there:
        await watch.add(user_id, auction_id)
    found: list[str] = []
    after: ListPosition | None = None
    while True:
        async with asyncio.TaskGroup() as at_once:
            reading = at_once.create_task(watch.list_page(user_id, after=after, limit=limit))
            for auction_id in later[:2]:
                at_once.create_task(watch.add(user_id, auction_id))
        page = reading.result()
        found += [auction.listing.auction_id for auction in page.auctions]
        del later[:2]
        after = page.next_after
        if after is None:
            break
    assert len(set(found)) == len(found)
    assert [auction_id for auction_id in found if auction_id in there] == there[::-1]


async def test_many_who_add_the_same_at_once_add_it_once(both: Shards) -> None:
    watch, user_id = watching(both), new_id()
    (auction_id,) = await on_both(both, 1)
    await asyncio.gather(*(watch.add(user_id, auction_id) for _ in range(6)))
    assert await whole(watch, user_id) == [auction_id]


async def test_only_its_seller_can_watch_a_draft(both: Shards) -> None:
    watch, new = watching(both), new_auction()
    auction_id = (await auctions_on(both).create(new)).listing.auction_id
    for unseen_id in (auction_id, new_id(shard=3), new_id(shard=77)):
        with pytest.raises(AuctionNotFound):
            await watch.add(new_id(), unseen_id)
    await watch.add(new.terms.seller_id, auction_id)
    assert await whole(watch, new.terms.seller_id) == [auction_id]


async def test_a_list_with_a_shard_away_says_so(
    auction_url: str, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    async with shards_on({3: auction_url, 200: nowhere}) as shards:
        watch, user_id = watching(shards), new_id()
        new = new_auction(request_id=request_id_for(shards, 3))
        auction_id = (await auctions_on(shards).create(new)).listing.auction_id
        await watch.add(new.terms.seller_id, auction_id)
        await watch.remove(user_id, auction_id)
        with pytest.raises(ShardUnavailable):
            await watch.list_page(user_id, after=None, limit=5)
        with pytest.raises(ShardUnavailable):
            await watch.add(user_id, new_id(shard=200))


async def test_a_person_keeps_a_list_of_their_own(clients: AuctionClients) -> None:
    ada, bob = clients.person(), clients.person()
    ids = [await clients.live() for _ in range(3)]
    for auction_id in ids:
        add = messages.WatchlistAddRequest(auction_id=auction_id.upper())
        await clients.edge.WatchlistAdd(add, metadata=ada)
    request = messages.ListWatchlistRequest(page_size=2)
    first = await clients.edge.ListWatchlist(request, metadata=ada)
    request.page_token = first.next_page_token
    second = await clients.edge.ListWatchlist(request, metadata=ada)
    shown = [auction.auction_id for auction in [*first.auctions, *second.auctions]]
    assert (shown, second.next_page_token) == (ids[::-1], "")
    nothing = await clients.edge.ListWatchlist(messages.ListWatchlistRequest(), metadata=bob)
    assert list(nothing.auctions) == []
    await clients.edge.WatchlistRemove(
        messages.WatchlistRemoveRequest(auction_id=ids[1].upper()), metadata=ada
    )
    left = await clients.edge.ListWatchlist(messages.ListWatchlistRequest(), metadata=ada)
    assert [auction.auction_id for auction in left.auctions] == [ids[2], ids[0]]


async def test_what_the_contract_refuses(clients: AuctionClients) -> None:
    ada, draft = clients.person(), await clients.draft()
    for auction_id in (draft.auction_id, new_id(), new_id(shard=77)):
        add = messages.WatchlistAddRequest(auction_id=auction_id)
        refused = await refusal_of(clients.edge.WatchlistAdd, add, ada)
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "AUCTION_NOT_FOUND")
    refused = await refusal_of(
        clients.edge.ListWatchlist, messages.ListWatchlistRequest(page_token="no"), ada
    )
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
    )
    refused = await refusal_of(clients.edge.ListWatchlist, messages.ListWatchlistRequest())
    assert refused.code is grpc.StatusCode.UNAUTHENTICATED
