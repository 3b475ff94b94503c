"""Shows on two databases: where they and their lots go, and how lists and bookmarks join them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from fakes.auction_books import terms_of
from fakes.auction_shards import (
    ALIASES,
    auction_database,
    events_of,
    new_auction,
    request_id_for,
    shards_on,
    utc_now,
)
from fakes.show_books import new_show
from kernel.errors import RequestIdReused
from kernel.ids import new_id, shard_of
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from svc_auction.application.add_lot import AddLot, Rerun
from svc_auction.application.bookmark_show import BookmarkShow
from svc_auction.application.end_show import EndShow
from svc_auction.application.ports import ListPosition
from svc_auction.application.read_shows import ReadShows
from svc_auction.application.start_show import StartShow
from svc_auction.domain.book import State
from svc_auction.domain.errors import ShardUnavailable
from svc_auction.domain.show import Show, ShowState
from svc_auction.domain.show_errors import ShowNotFound
from svc_auction.infrastructure.postgres_shows import PostgresShows, list_position
from svc_auction.infrastructure.shards import Shards

NUMBERS = (3, 200)
SCHEDULED, LIVE, ENDED = ShowState.SCHEDULED, ShowState.LIVE, ShowState.ENDED


@pytest.fixture(scope="module")
def second_url(postgres_server: Postgres) -> str:
    return auction_database(postgres_server)


@pytest.fixture
async def both(auction_url: str, second_url: str) -> AsyncIterator[Shards]:
    async with shards_on({3: auction_url, 200: second_url}) as shards:
        yield shards


@pytest.fixture
def shows(both: Shards) -> PostgresShows:
    return PostgresShows(shards=both, aliases=ALIASES)


def in_half_an_hour() -> datetime:
    return utc_now() + timedelta(minutes=30)


async def announce(
    shows: PostgresShows, both: Shards, number: int, *, seller_id: str, minutes: int = 30
) -> Show:
    """Announce a show on a given shard."""
    return await shows.create(
        new_show(
            request_id=request_id_for(both, number),
            seller_id=seller_id,
            starts_at=utc_now() + timedelta(minutes=minutes),
        )
    )


async def listed(
    shows: PostgresShows,
    state: ShowState,
    *,
    seller_id: str | None = None,
    viewer_id: str | None = None,
    bookmarked_only: bool = False,
    limit: int = 50,
) -> list[Show]:
    """Return a whole list, page by page."""
    found: list[Show] = []
    after: ListPosition | None = None
    while True:
        page: Sequence[Show] = await ReadShows(shows=shows).list_shows(
            state=state,
            seller_id=seller_id,
            viewer_id=viewer_id,
            bookmarked_only=bookmarked_only,
            after=after,
            limit=limit,
        )
        found += page
        if len(page) < limit:
            return found
        after = ListPosition(*list_position(page[-1]))


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
async def test_lists_join_the_shards(shows: PostgresShows, both: Shards, limit: int) -> None:
    seller_id = new_id()
    announced = [
        await announce(
            shows, both, NUMBERS[turn % 2], seller_id=seller_id, minutes=60 - turn * 7 % 30
        )
        for turn in range(9)
    ]
    assert {shard_of(show.show_id) for show in announced} == set(NUMBERS)
    soonest_first = sorted(announced, key=list_position)
    assert await listed(shows, SCHEDULED, seller_id=seller_id, limit=limit) == soonest_first
    for show in announced[:7]:
        await StartShow(shows=shows)(show_id=show.show_id, seller_id=seller_id)
    for show in announced[:3]:
        await EndShow(shows=shows)(show_id=show.show_id, seller_id=seller_id)
    live = await listed(shows, LIVE, seller_id=seller_id, limit=limit)
    assert [s.show_id for s in live] == [s.show_id for s in reversed(announced[3:7])]
    ended = await listed(shows, ENDED, seller_id=seller_id, limit=limit)
    assert [s.show_id for s in ended] == [s.show_id for s in reversed(announced[:3])]
    everybodys = {s.show_id for s in await listed(shows, ENDED)}
    assert everybodys >= {s.show_id for s in ended}


async def test_bookmarks_are_ones_own(shows: PostgresShows, both: Shards) -> None:
    seller_id, ada_id, bob_id = new_id(), new_id(), new_id()
    announced = [
        await announce(shows, both, NUMBERS[turn % 2], seller_id=seller_id) for turn in range(6)
    ]
    bookmark = BookmarkShow(shows=shows)
    for show in announced[:4]:
        for _ in range(2):
            await bookmark(show_id=show.show_id, user_id=ada_id, remove=False)
    await bookmark(show_id=announced[5].show_id, user_id=bob_id, remove=False)
    for _ in range(2):
        await bookmark(show_id=announced[0].show_id, user_id=ada_id, remove=True)
    own = await listed(shows, SCHEDULED, viewer_id=ada_id, bookmarked_only=True, limit=2)
    assert own == announced[1:4]
    assert await listed(shows, LIVE, viewer_id=ada_id, bookmarked_only=True) == []
    assert await listed(shows, SCHEDULED, seller_id=seller_id, bookmarked_only=True) == []
    seen = [
        (await shows.get(announced[1].show_id, viewer_id=viewer_id)).bookmarked
        for viewer_id in (ada_id, bob_id, None)
    ]
    assert seen == [True, False, False]
    for show_id in (new_id(shard=3), new_id(shard=4)):
        for remove in (False, True):
            with pytest.raises(ShowNotFound):
                await bookmark(show_id=show_id, user_id=ada_id, remove=remove)


async def test_a_lot_of_one_shard_comes_up_again_on_another(
    shows: PostgresShows, both: Shards
) -> None:
    seller_id = new_id()
    terms = terms_of(seller_id=seller_id, reserve_minor=5_00, lot_duration=timedelta(minutes=2))
    first, second = [await announce(shows, both, number, seller_id=seller_id) for number in NUMBERS]
    add = AddLot(shows=shows)
    _, lot = await add(show_id=first.show_id, etag="1", lot=new_auction(terms))
    await EndShow(shows=shows)(show_id=first.show_id, seller_id=seller_id)
    rerun = Rerun(new_id(), b"\x02" * 32, seller_id, lot.listing.auction_id)
    show, again = await add(show_id=second.show_id, etag="1", lot=rerun)
    assert shard_of(again.listing.auction_id) == 200
    assert show.lot_ids == (again.listing.auction_id,)
    (kept,) = (await shows.get(second.show_id, viewer_id=None)).lots
    assert (kept.listing, kept.book) == (again.listing, again.book)
    assert (kept.listing.title, kept.book.state) == (lot.listing.title, State.QUEUED)
    assert kept.terms.as_lot_of(first.show_id, bidder_limit_minor=None).reserve_minor == 5_00
    assert (kept.terms.show_id, kept.terms.lot_duration) == (
        second.show_id,
        timedelta(minutes=2),
    )
    shard = both.of(second.show_id)
    types = [event.type for event in await events_of(shard, again.listing.auction_id)]
    assert types == ["auction.created", "auction.queued"]


async def test_a_replay_finds_the_show_whichever_shards_are_open(
    both: Shards, auction_url: str, second_url: str
) -> None:
    new = [
        new_show(request_id=request_id_for(both, number), starts_at=in_half_an_hour())
        for number in NUMBERS
    ]
    first = [await PostgresShows(shards=both, aliases=ALIASES).create(one) for one in new]
    assert [shard_of(show.show_id) for show in first] == list(NUMBERS)
    urls = {3: auction_url, 200: second_url}
    async with shards_on(urls, open_numbers=[200]) as fewer_open:
        shows = PostgresShows(shards=fewer_open, aliases=ALIASES)
        renamed = [replace(one, seller_name="Another name") for one in new]
        assert [await shows.create(one) for one in renamed] == first
        later = await shows.create(new_show(starts_at=in_half_an_hour()))
        assert shard_of(later.show_id) == 200


async def test_a_shard_that_is_away_leaves_the_others_shows_alone(
    both: Shards, auction_url: str, port_reservations: PortReservations
) -> None:
    seller_id = new_id()
    shows = PostgresShows(shards=both, aliases=ALIASES)
    show = await announce(shows, both, 3, seller_id=seller_id)
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    async with shards_on({3: auction_url, 200: nowhere}) as one_away:
        shows = PostgresShows(shards=one_away, aliases=ALIASES)
        await StartShow(shows=shows)(show_id=show.show_id, seller_id=seller_id)
        assert (await shows.get(show.show_id, viewer_id=None)).show.state is LIVE
        with pytest.raises(ShardUnavailable):
            await shows.get(new_id(shard=200), viewer_id=None)
        there, away = [
            new_show(request_id=request_id_for(both, number), starts_at=in_half_an_hour())
            for number in NUMBERS
        ]
        first = await shows.create(there)
        assert await shows.create(there) == first
        with pytest.raises(RequestIdReused):
            await shows.create(replace(there, body_hash=b"\x02" * 32))
        with pytest.raises(ShardUnavailable):
            await shows.create(away)
