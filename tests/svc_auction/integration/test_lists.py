"""Lists of auctions by state, over two shards: waiting lots and paused ones too."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from fakes.auction_books import terms_of
from fakes.auction_shards import (
    auction_database,
    auctions_on,
    live_auction,
    new_auction,
    request_id_for,
    shards_on,
)
from kernel.ids import new_id, shard_of
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from svc_auction.application.ports import ListPosition
from svc_auction.application.read_auctions import ReadAuctions
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import State
from svc_auction.domain.errors import ShardUnavailable
from svc_auction.domain.terms import Terms
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions, list_position
from svc_auction.infrastructure.shards import Shards

NUMBERS = (3, 200)


@pytest.fixture(scope="module")
def second_url(postgres_server: Postgres) -> str:
    return auction_database(postgres_server)


@pytest.fixture
async def both(auction_url: str, second_url: str) -> AsyncIterator[Shards]:
    async with shards_on({3: auction_url, 200: second_url}) as shards:
        yield shards


async def waiting_lot(auctions: PostgresAuctions, terms: Terms, request_id: str) -> str:
    draft = await auctions.create(new_auction(terms, request_id=request_id))
    async with auctions.change(draft.listing.auction_id) as change:
        change.record(change.auction.queue(now=change.now))
    return draft.listing.auction_id


async def paused_auction(
    auctions: PostgresAuctions, terms: Terms, request_id: str, minutes: float
) -> str:
    auction_id = await live_auction(auctions, terms, minutes=minutes, request_id=request_id)
    async with auctions.change(auction_id) as change:
        change.record(change.auction.pause(now=change.now))
    return auction_id


async def whole(
    auctions: PostgresAuctions, seller_id: str, state: State, *, limit: int, viewer_id: str | None
) -> list[Auction]:
    """Return a list as somebody pages through it."""
    read, found = ReadAuctions(auctions=auctions), list[Auction]()
    after: ListPosition | None = None
    while True:
        page = await read.list_auctions(
            state=state, seller_id=seller_id, viewer_id=viewer_id, after=after, limit=limit
        )
        found += page
        if len(page) < limit:
            return found
        after = ListPosition(*list_position(page[-1]))


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_waiting_lots_are_listed_for_anyone_in_the_order_of_their_creation(
    both: Shards, limit: int
) -> None:
    auctions, terms = auctions_on(both), terms_of(seller_id=new_id(), show_id=new_id())
    ids = [
        await waiting_lot(auctions, terms, request_id_for(both, NUMBERS[number % 2]))
        for number in range(5)
    ]
    assert {shard_of(auction_id) for auction_id in ids} == set(NUMBERS)
    for viewer_id in (None, new_id(), terms.seller_id):
        found = await whole(
            auctions, terms.seller_id, State.QUEUED, limit=limit, viewer_id=viewer_id
        )
        assert [auction.listing.auction_id for auction in found] == ids
    drafts = await whole(auctions, terms.seller_id, State.DRAFT, limit=5, viewer_id=None)
    assert drafts == []


@pytest.mark.parametrize("limit", [1, 3])
async def test_paused_auctions_are_listed_soonest_end_first(both: Shards, limit: int) -> None:
    auctions, terms = auctions_on(both), terms_of(seller_id=new_id())
    ids = [
        await paused_auction(
            auctions, terms, request_id_for(both, NUMBERS[number % 2]), 60 - 10 * number
        )
        for number in range(4)
    ]
    found = await whole(auctions, terms.seller_id, State.PAUSED, limit=limit, viewer_id=None)
    assert [auction.listing.auction_id for auction in found] == ids[::-1]
    assert await whole(auctions, terms.seller_id, State.LIVE, limit=9, viewer_id=None) == []
    # A lot that was open before, and waits again, is listed by its creation as any other.
    async with auctions.change(ids[0]) as change:
        change.auction.book.state = State.QUEUED
        change.auction.book.ends_at = change.now + timedelta(days=1)
        change.record(None)
    later = await waiting_lot(auctions, terms, request_id_for(both, 3))
    waiting = await whole(auctions, terms.seller_id, State.QUEUED, limit=1, viewer_id=None)
    assert [auction.listing.auction_id for auction in waiting] == [ids[0], later]


async def test_a_list_that_would_miss_a_shards_auctions_is_refused(
    auction_url: str, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    async with shards_on({3: auction_url, 200: nowhere}) as shards:
        for may_lag in (True, False):
            with pytest.raises(ShardUnavailable):
                await ReadAuctions(auctions=auctions_on(shards)).list_auctions(
                    state=State.LIVE,
                    seller_id=None,
                    viewer_id=None,
                    after=None,
                    limit=5,
                    may_lag=may_lag,
                )
