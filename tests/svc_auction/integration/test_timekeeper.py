import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from fakes.auction_books import bid_of, soft_close, terms_of
from fakes.auction_shards import (
    auction_database,
    auctions_on,
    audit,
    end_in,
    events_of,
    give_power,
    live_auction,
    new_auction,
    only,
    rows_of,
    shards_on,
    utc_now,
)
from fakes.lane_bids import lane_on
from kernel.ids import new_id
from servicekit.background import running
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from svc_auction.application.schedule_auction import ScheduleAuction
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import Outcome, State
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure import timekeeper
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import Shard, Shards
from svc_auction.infrastructure.timekeeper import Timekeeper, catch_up

LATENESS_MAX = timedelta(seconds=5)
"""Far above the aim of 250 ms: the machine may be busy, and this is no benchmark."""


@pytest.fixture(scope="module")
def own_url(postgres_server: Postgres) -> str:
    """A database of its own: a timekeeper ends whatever is due."""
    return auction_database(postgres_server)


@pytest.fixture
async def shards(own_url: str) -> AsyncIterator[Shards]:
    async with shards_on(own_url) as opened:
        yield opened


@pytest.fixture
def shard(shards: Shards) -> Shard:
    return only(shards)


@pytest.fixture
def auctions(shards: Shards) -> PostgresAuctions:
    return auctions_on(shards)


@pytest.fixture
def replicas(shard: Shard, auctions: PostgresAuctions) -> list[Timekeeper]:
    return [Timekeeper(shard=shard, auctions=auctions) for _ in range(2)]


async def in_state(auctions: PostgresAuctions, auction_id: str, state: State) -> Auction:
    for _ in range(1_000):
        auction = await auctions.get(auction_id)
        if auction.book.state is state:
            return auction
        await asyncio.sleep(0.01)
    raise AssertionError(f"The auction never became {state.name}.")


async def announce(
    shard: Shard, auctions: PostgresAuctions, *, starts_in_s: float, lasts_s: float
) -> str:
    """Schedule an auction to last shorter than any seller may."""
    new = new_auction()
    auction_id = (await auctions.create(new)).listing.auction_id
    starts_at = utc_now() + timedelta(hours=1)
    await ScheduleAuction(auctions=auctions)(
        auction_id=auction_id,
        seller_id=new.terms.seller_id,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
    )
    async with shard.transaction() as connection:
        await connection.execute(
            "update books set starts_at = clock_timestamp() + make_interval(secs => %s),"
            " ends_at = clock_timestamp() + make_interval(secs => %s) where auction_id = %s",
            (starts_in_s, starts_in_s + lasts_s, auction_id),
        )
    return auction_id


async def test_an_auction_starts_and_ends_by_itself_on_time(
    shard: Shard, auctions: PostgresAuctions, replicas: list[Timekeeper]
) -> None:
    auction_id = await announce(shard, auctions, starts_in_s=0.15, lasts_s=0.3)
    announced = (await auctions.get(auction_id)).book
    assert announced.starts_at is not None
    assert announced.ends_at is not None
    async with running([keeper.run for keeper in replicas]):
        ended = await in_state(auctions, auction_id, State.ENDED)
    started, over = (await events_of(shard, auction_id))[2:]
    assert (started.type, over.type) == ("auction.started", "auction.end")
    started_late = ended.book.starts_at - announced.starts_at if ended.book.starts_at else None
    ended_late = ended.book.ends_at - announced.ends_at if ended.book.ends_at else None
    for late in (started_late, ended_late):
        assert late is not None
        assert timedelta(0) <= late < LATENESS_MAX
    assert ended.book.outcome is Outcome.NO_BIDS


async def test_two_replicas_end_each_auction_exactly_once(
    shard: Shard, auctions: PostgresAuctions, replicas: list[Timekeeper]
) -> None:
    terms = terms_of(seller_id=new_id(), funding=Funding.WALLET_HOLD)
    ada = new_id()
    await give_power(shard, [ada], 1_000_000)
    ids = [await live_auction(auctions, terms) for _ in range(20)]
    for auction_id in ids:
        await lane_on(shard).place(bid_of(ada, 50_00, auction_id=auction_id))
        await end_in(shard, auction_id, 0)
    counts = await asyncio.gather(*(keeper.advance() for keeper in replicas * 2))
    assert sum(counts) == 20
    kinds = Counter([e.type for i in ids for e in await events_of(shard, i)])
    assert (kinds["auction.end"], kinds["bid.placed"]) == (20, 20)
    owed = await rows_of(
        shard,
        "select count(*), sum(amount_minor) from power_transfers where bidder_id = %s and kind = 3",
        ada,
    )
    assert owed == [(20, 20)]
    await audit(shard, auctions, ids)


async def test_what_was_left_is_started_and_ended_late(
    shard: Shard, auctions: PostgresAuctions, replicas: list[Timekeeper]
) -> None:
    auction_id = await announce(shard, auctions, starts_in_s=-60, lasts_s=30)
    assert await replicas[0].advance() == 1
    assert (await auctions.get(auction_id)).book.state is State.LIVE
    assert await replicas[1].advance() == 1
    assert (await auctions.get(auction_id)).book.outcome is Outcome.NO_BIDS
    assert await replicas[0].advance() == 0


async def test_the_safety_job_leaves_nothing_due_however_much_there_is(
    shard: Shard,
    shards: Shards,
    auctions: PostgresAuctions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timekeeper, "BATCH_MAX", 2)
    to_start = [await announce(shard, auctions, starts_in_s=-60, lasts_s=30) for _ in range(3)]
    to_end = [await live_auction(auctions) for _ in range(5)]
    for auction_id in to_end:
        await end_in(shard, auction_id, 0)
    assert await catch_up(shards, auctions)
    books = [(await auctions.get(auction_id)).book for auction_id in to_start + to_end]
    assert {book.state for book in books} == {State.ENDED}


async def test_a_shard_that_is_away_stops_the_safety_job_on_no_other(
    own_url: str, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    async with shards_on({0: own_url}) as there:
        auction_id = await live_auction(auctions_on(there))
        await end_in(only(there), auction_id, 0)
    async with shards_on({7: nowhere, 0: own_url}) as shards:
        assert not await catch_up(shards, auctions_on(shards))
        assert (await auctions_on(shards).get(auction_id)).book.state is State.ENDED


async def test_a_late_bid_moves_the_end_from_under_the_timekeeper(
    shard: Shard, auctions: PostgresAuctions, replicas: list[Timekeeper]
) -> None:
    terms = terms_of(seller_id=new_id(), soft_close=soft_close(within_s=60, by_s=3_600))
    moved, fixed = await live_auction(auctions, terms), await live_auction(auctions)
    await end_in(shard, moved, 0.4)
    await end_in(shard, fixed, 0.4)
    placed = await lane_on(shard).place(bid_of(new_id(), 50_00, auction_id=moved))
    async with running([keeper.run for keeper in replicas]):
        await in_state(auctions, fixed, State.ENDED)
    book = (await auctions.get(moved)).book
    assert (book.state, book.ends_at) == (State.LIVE, placed.event.ends_at)
    await audit(shard, auctions, [moved])


async def test_a_bid_that_holds_the_book_decides_before_the_timekeeper(
    shard: Shard, auctions: PostgresAuctions, replicas: list[Timekeeper]
) -> None:
    auction_id = await live_auction(auctions)
    await end_in(shard, auction_id, 0)
    async with shard.transaction() as lane:
        await lane.execute("select 1 from books where auction_id = %s for update", (auction_id,))
        ending = asyncio.create_task(replicas[0].advance())
        await _waits_for_a_lock(shard)
        await lane.execute(
            "update books set ends_at = clock_timestamp() + interval '1 hour'"
            " where auction_id = %s",
            (auction_id,),
        )
    assert await ending == 0
    assert (await auctions.get(auction_id)).book.state is State.LIVE


async def test_a_lane_never_waits_in_a_circle_with_the_timekeeper(
    shard: Shard, auctions: PostgresAuctions, replicas: list[Timekeeper]
) -> None:
    """A lane locks books by id; the timekeeper must too, starts and ends alike."""
    to_start = await announce(shard, auctions, starts_in_s=0, lasts_s=3_600)
    to_end = await live_auction(auctions)
    await end_in(shard, to_end, 0)
    assert to_start < to_end
    lock = "select 1 from books where auction_id = %s for update"
    async with shard.transaction() as lane:
        await lane.execute(lock, (to_start,))
        advancing = asyncio.create_task(replicas[0].advance())
        await _waits_for_a_lock(shard)
        await lane.execute("set local lock_timeout = '200ms'")
        await lane.execute(lock, (to_end,))
    assert await advancing == 2


async def test_when_something_is_due_is_known(shard: Shard, auctions: PostgresAuctions) -> None:
    auction_id = await live_auction(auctions)
    await end_in(shard, auction_id, -100)
    seconds = await auctions.seconds_to_next(shard)
    assert seconds is not None
    assert seconds <= -100


async def _waits_for_a_lock(shard: Shard) -> None:
    for _ in range(500):
        waiting = await rows_of(
            shard,
            "select 1 from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'",
        )
        if waiting:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("Nobody waits for a lock.")
