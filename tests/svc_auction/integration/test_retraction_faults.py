"""Retractions that meet bids, each other, and connections that break: all of it, or nothing."""

import asyncio
import random
from typing import Any

import pytest

from fakes.auction_books import bid_of
from fakes.auction_shards import power_of, rows_of, shards_on
from fakes.bank import Bank
from fakes.lane_bids import lane_on, verdict_of
from fakes.postgres_proxy import PostgresProxy
from fakes.retractions import Saleroom, answer_to, retractions_on, wish_of
from kernel.errors import BlytzError
from servicekit.postgres import Connection
from svc_auction.application.ports import PlacedBid
from svc_auction.application.retract_bid import RetractBid
from svc_auction.domain.errors import ShardUnavailable
from svc_auction.domain.formats import SEALED_SECOND_PRICE
from svc_auction.domain.retraction import Wish
from svc_auction.infrastructure import postgres_retractions


@pytest.fixture
def room(bank: Bank) -> Saleroom:
    return Saleroom(bank)


async def test_bids_and_retractions_at_once_never_disagree(room: Saleroom) -> None:
    """Two lanes bid on three auctions while the same people take bids back on all of them."""
    bidder_ids = [await room.bidder(10_000_00) for _ in range(5)]
    auction_ids = [
        await room.opened(),
        await room.opened(),
        await room.opened(format=SEALED_SECOND_PRICE),
    ]
    lanes, rng = [lane_on(room.shard), lane_on(room.shard)], random.Random(11)
    outcomes: list[str] = []

    async def come_and_go(number: int) -> None:
        bid = bid_of(
            rng.choice(bidder_ids),
            100 * rng.randint(1, 40) + 40 * number,
            auction_id=rng.choice(auction_ids),
        )
        verdict = await verdict_of(lanes[number % 2], bid)
        if isinstance(verdict, PlacedBid) and number % 3 == 0:
            try:
                await room.retract_bid(wish_of(verdict))
            except BlytzError as refusal:
                outcomes.append(refusal.reason)
            else:
                outcomes.append("RETRACTED")

    await asyncio.gather(*(come_and_go(number) for number in range(120)))
    assert set(outcomes) <= {"RETRACTED", "BID_NOT_FOUND"}
    assert outcomes.count("RETRACTED") > 5
    await room.audit(*auction_ids)


async def test_a_connection_lost_mid_way_leaves_nothing_half_retracted(
    room: Saleroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await room.bidder(), await room.bidder()
    auction_id = await room.opened()
    await room.bid(bid_of(bob, 20_00, auction_id=auction_id))
    wish = wish_of(await room.bid(bid_of(ada, 50_00, auction_id=auction_id)))
    write = postgres_retractions._write

    async def cut(connection: Connection, *arguments: Any) -> None:
        await write(connection, *arguments)
        await connection.execute("select pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patched:
        patched.setattr(postgres_retractions, "_write", cut)
        with pytest.raises(ShardUnavailable):
            await room.retract_bid(wish)
    assert await power_of(room.shard, ada) == (100_00, 50_00)
    await room.audit(auction_id)
    assert (await room.retract_bid(wish)).event.leader_id == bob
    await room.audit(auction_id)


async def test_a_retraction_whose_commit_is_not_answered_exists_once(
    room: Saleroom, bank_url: str
) -> None:
    ada, bob = await room.bidder(), await room.bidder()
    auction_id = await room.opened()
    await room.bid(bid_of(bob, 20_00, auction_id=auction_id))
    wish = wish_of(await room.bid(bid_of(ada, 50_00, auction_id=auction_id)))
    async with (
        PostgresProxy(bank_url).listening() as proxy,
        shards_on(proxy.url, pool_max=1) as behind,
    ):
        retract_bid = RetractBid(retractions=retractions_on(behind), power=room.bank.power)
        proxy.lose_commit()
        with pytest.raises(ShardUnavailable):
            await retract_bid(wish)
        assert proxy.commits_lost == 1
        again = await retract_bid(wish)
    assert answer_to(again) == answer_to(await room.retract_bid(wish))
    assert again.event.leader_id == bob
    count = await rows_of(room.shard, "select count(*) from retractions")
    assert count == [(1,)]
    await room.audit(auction_id)


async def test_retractions_that_cross_finish_both(room: Saleroom) -> None:
    """Ada leads one auction before Bob, and Bob another before Ada: each locks both's power."""
    ada, bob = await room.bidder(), await room.bidder()
    auction_ids = [await room.opened(), await room.opened()]
    wishes: list[Wish] = []
    for auction_id, (second, first) in zip(auction_ids, [(ada, bob), (bob, ada)], strict=True):
        await room.bid(bid_of(second, 10_00, auction_id=auction_id))
        wishes.append(wish_of(await room.bid(bid_of(first, 20_00, auction_id=auction_id))))
    async with asyncio.timeout(20):
        await asyncio.gather(*(room.retract_bid(wish) for wish in wishes))
    await room.audit(*auction_ids)
