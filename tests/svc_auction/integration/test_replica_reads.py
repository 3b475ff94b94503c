"""Reads from replicas: only where what they say is recent enough, and never for want of one."""

import time
from collections.abc import AsyncIterator

import pytest

from blytz.auction.v1.auction_pb2 import Auction as AuctionMessage
from fakes.auction_books import bid_of, terms_of
from fakes.auction_shards import ALIASES, auction_database, auctions_on, live_auction, new_auction
from fakes.lagging_replica import LaggingReplica
from fakes.lane_bids import lane_on
from kernel.ids import new_id
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from svc_auction.application.ports import position_of
from svc_auction.application.read_auctions import SEQUENCE_MAX, ReadAuctions
from svc_auction.domain.book import State
from svc_auction.domain.errors import AuctionNotFound
from svc_auction.infrastructure import optional_redis, read_cache
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.public_reads import ListQuery, PublicReads
from svc_auction.infrastructure.read_cache import AnnouncementLoop, open_read_cache
from svc_auction.infrastructure.shards import Shard, Shards, open_shards


@pytest.fixture(scope="module")
def replica(postgres_server: Postgres) -> LaggingReplica:
    return LaggingReplica(auction_database(postgres_server), auction_database(postgres_server))


@pytest.fixture
async def replicated(replica: LaggingReplica) -> AsyncIterator[Shards]:
    async with open_shards(
        {0: replica.primary_url},
        open_numbers=frozenset(),
        kafka_bootstrap="127.0.0.1:1",
        pool_max=4,
        replica_urls={0: replica.url},
    ) as shards:
        yield shards


@pytest.fixture
def auctions(replicated: Shards) -> PostgresAuctions:
    return auctions_on(replicated)


@pytest.fixture
def slow_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a floor stand, and Redis answer, however busy the machine is."""
    monkeypatch.setattr(read_cache, "FLOOR_TTL_MS", 60_000)
    monkeypatch.setattr(optional_redis, "ANSWER_S_MAX", 10.0)


@pytest.fixture
def shard(replicated: Shards) -> Shard:
    (shard,) = replicated
    return shard


async def bid_on(shard: Shard, auction_id: str, *maxima_minor: int) -> None:
    for maximum_minor in maxima_minor:
        await lane_on(shard).place(bid_of(new_id(), maximum_minor, auction_id=auction_id))


async def test_a_replica_is_read_when_it_has_come_far_enough(
    replica: LaggingReplica, auctions: PostgresAuctions, shard: Shard
) -> None:
    auction_id = await live_auction(auctions)
    # It has not heard of the auction at all.
    assert (await auctions.get(auction_id, at_least=(1, 1))).listing.title == "A watch"
    await replica.catch_up()
    await replica.mark(auction_id)
    await bid_on(shard, auction_id, 50_00)
    titles = [
        (await auctions.get(auction_id, at_least=at_least)).listing.title
        for at_least in [None, (1, 1), (1, 2), (1, 3), (2, 1)]
    ]
    assert titles == ["A watch", "replica", "replica", "A watch", "A watch"]
    with pytest.raises(AuctionNotFound):
        await auctions.get(new_id(), at_least=(1, 1))


async def test_a_page_of_bids_is_of_one_moment_wherever_it_is_read(
    replica: LaggingReplica, auctions: PostgresAuctions, shard: Shard
) -> None:
    auction_id = await live_auction(auctions)
    await bid_on(shard, auction_id, 50_00, 60_00)
    await replica.catch_up()
    await bid_on(shard, auction_id, 70_00)
    counts = {}
    for at_least in [None, (1, 4), (1, 5)]:
        auction, bids = await auctions.bids_before(
            auction_id, before_sequence=SEQUENCE_MAX, limit=50, at_least=at_least
        )
        assert position_of(auction) == (1, bids[0].sequence)
        counts[at_least] = len(bids)
    assert counts == {None: 3, (1, 4): 2, (1, 5): 3}


async def test_lists_for_everyone_come_from_the_replica_and_ones_own_do_not(
    replica: LaggingReplica, auctions: PostgresAuctions
) -> None:
    terms = terms_of(seller_id=new_id())
    first = await live_auction(auctions, terms)
    await replica.catch_up()
    second = await live_auction(auctions, terms)
    found = {
        may_lag: {
            auction.listing.auction_id
            for auction in await auctions.list_page(
                state=State.LIVE, seller_id=terms.seller_id, after=None, limit=9, may_lag=may_lag
            )
        }
        for may_lag in (True, False)
    }
    assert found == {True: {first}, False: {first, second}}


@pytest.mark.usefixtures("slow_time")
async def test_without_a_floor_the_public_reads_the_primary(
    replica: LaggingReplica, auctions: PostgresAuctions, shard: Shard, redis_url: str
) -> None:
    auction_id = await live_auction(auctions)
    shard.announcements.take()
    await replica.catch_up()
    await replica.mark(auction_id)

    async def public() -> AuctionMessage:
        """Read by way of a process that has nothing kept."""
        async with open_read_cache(redis_url) as cache:
            read = ReadAuctions(auctions=auctions)
            return await PublicReads(read=read, cache=cache, aliases=ALIASES).auction(auction_id)

    async def announce() -> None:
        async with open_read_cache(redis_url) as cache:
            await AnnouncementLoop(sources=[shard.announcements], cache=cache).flush()

    assert (await public()).title == "A watch"
    await bid_on(shard, auction_id, 50_00)
    await announce()
    # The replica is behind what was announced, so it is not believed.
    assert ((await public()).title, (await public()).bid_count) == ("A watch", 1)
    await bid_on(shard, auction_id, 60_00)
    await announce()
    await replica.catch_up()
    await replica.mark(auction_id)
    assert ((await public()).title, (await public()).bid_count) == ("replica", 2)


async def test_a_replica_that_is_away_is_not_missed(
    replica: LaggingReplica, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    async with open_shards(
        {0: replica.primary_url},
        open_numbers=frozenset(),
        kafka_bootstrap="127.0.0.1:1",
        pool_max=2,
        replica_urls={0: nowhere},
    ) as shards:
        auctions = auctions_on(shards)
        auction_id = (await auctions.create(new_auction())).listing.auction_id
        assert position_of(await auctions.get(auction_id, at_least=(1, 1))) == (1, 1)
        # One wait of a second may come again; five would be one each time.
        started_s = time.monotonic()
        for _ in range(8):
            await auctions.get(auction_id, at_least=(1, 1))
        assert time.monotonic() - started_s < 6


async def test_a_key_names_everything_that_a_list_is_asked_for_by() -> None:
    queries = [
        ListQuery(state, seller_id, None, limit)
        for state in (State.LIVE, State.ENDED)
        for seller_id in (None, new_id())
        for limit in (1, 2)
    ]
    assert len({query.key for query in queries}) == len(queries)
