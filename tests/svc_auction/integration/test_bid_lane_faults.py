"""What a bidder and the database see when a connection, a commit or the whole server is lost."""

import asyncio
import os
import signal
from typing import LiteralString

import pytest

from fakes.auction_books import bid_of, terms_of
from fakes.auction_shards import (
    auction_database,
    auctions_on,
    audit,
    events_of,
    give_power,
    live_auction,
    new_auction,
    only,
    power_of,
    shards_on,
)
from fakes.lane_bids import accepted, answer, bid_at_once, lane_on, random_bids, verdict_of
from fakes.postgres_proxy import PostgresProxy
from kernel.ids import new_id
from servicekit.postgres import Connection
from stack.part import await_ready
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from stack.process import Process
from stack.secret import Secret
from svc_auction.application.decide_bids import Decisions
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.errors import ShardUnavailable
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.postgres_bids import PostgresBids, Traces
from svc_auction.infrastructure.shards import Shard

FUNDED = terms_of(funding=Funding.WALLET_HOLD, seller_id=new_id())
END_OWN_CONNECTION: LiteralString = "select pg_terminate_backend(pg_backend_pid())"


@pytest.mark.parametrize("position", range(2))
async def test_a_connection_lost_mid_way_leaves_nothing_half_written(
    shard: Shard,
    auctions: PostgresAuctions,
    monkeypatch: pytest.MonkeyPatch,
    position: int,
) -> None:
    auction_id = await live_auction(auctions, FUNDED)
    ada, bob = new_id(), new_id()
    await give_power(shard, [ada, bob], 10_000)
    lane = lane_on(shard)
    await lane.place(bid_of(ada, 20_00, auction_id=auction_id))
    bid = bid_of(bob, 50_00, auction_id=auction_id)

    async def cut(
        self: PostgresBids, connection: Connection, decisions: Decisions, traces: Traces
    ) -> None:
        statements = [self.statement(decisions, traces)]
        statements.insert(position, (END_OWN_CONNECTION, []))
        async with connection.pipeline():
            for statement, parameters in statements:
                await connection.execute(statement, parameters)
            await connection.commit()

    monkeypatch.setattr(PostgresBids, "write", cut)
    with pytest.raises(ShardUnavailable) as refused:
        await lane.place(bid)
    assert refused.value.retry_after_s is not None
    monkeypatch.undo()
    book = (await auctions.get(auction_id)).book
    assert (book.leader_id, book.bid_count) == (ada, 1)
    assert (await power_of(shard, ada), await power_of(shard, bob)) == (
        (10_000, 2_000),
        (10_000, 0),
    )
    await audit(shard, auctions, [auction_id])
    assert isinstance(await verdict_of(lane, bid), PlacedBid)
    await audit(shard, auctions, [auction_id])


async def test_a_bid_whose_commit_is_not_answered_exists_once(
    auction_url: str, shard: Shard, auctions: PostgresAuctions
) -> None:
    auction_id = await live_auction(auctions, FUNDED)
    ada = new_id()
    await give_power(shard, [ada], 10_000)
    bid = bid_of(ada, 20_00, auction_id=auction_id)
    async with (
        PostgresProxy(auction_url).listening() as proxy,
        shards_on(proxy.url, pool_max=1) as behind,
    ):
        lane = lane_on(only(behind))
        proxy.lose_commit()
        with pytest.raises(ShardUnavailable):
            await lane.place(bid)
        assert proxy.commits_lost == 1
        assert (await auctions.get(auction_id)).book.bid_count == 1
        repeated = answer(await lane.place(bid))
    assert repeated == answer(await lane_on(shard).place(bid))
    assert await power_of(shard, ada) == (10_000, 2_000)
    await audit(shard, auctions, [auction_id])


async def test_a_created_auction_whose_commit_is_not_answered_exists_once(
    auction_url: str, shard: Shard, auctions: PostgresAuctions
) -> None:
    new = new_auction()
    async with (
        PostgresProxy(auction_url).listening() as proxy,
        shards_on(proxy.url, pool_max=1) as behind,
    ):
        # The first commit ends the look for an earlier one.
        proxy.lose_commit(2)
        with pytest.raises(ShardUnavailable):
            await auctions_on(behind).create(new)
        assert proxy.commits_lost == 1
        first = await auctions_on(behind).create(new)
    assert await auctions.create(new) == first
    assert len(await events_of(shard, first.listing.auction_id)) == 1


async def test_a_shard_that_is_away_says_so(port_reservations: PortReservations) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    async with shards_on(nowhere) as behind:
        with pytest.raises(ShardUnavailable):
            await lane_on(only(behind)).place(bid_of(new_id(), 1_00, auction_id=new_id()))
        with pytest.raises(ShardUnavailable):
            await auctions_on(behind).get(new_id())


async def test_after_a_kill_of_postgres_every_answer_still_holds(
    tmp_path_factory: pytest.TempPathFactory, port_reservations: PortReservations
) -> None:
    folder = tmp_path_factory.mktemp("postgres-to-kill")
    postgres = Postgres(
        folder=folder,
        port=port_reservations.take(),
        secret=Secret.load(folder / "secret"),
        durable=False,  # a killed process loses nothing that the system has taken over
    )
    await postgres.prepare()
    process = await _start(postgres)
    try:
        url = await asyncio.to_thread(auction_database, postgres)
        async with shards_on(url) as shards:
            shard, auctions = only(shards), auctions_on(shards)
            auction_ids = [await live_auction(auctions, FUNDED) for _ in range(3)]
            bidder_ids = [new_id() for _ in range(6)]
            await give_power(shard, bidder_ids, 10_000_000)
            bids = random_bids(7, auction_ids=auction_ids, bidder_ids=bidder_ids, count=400)
            lanes = [lane_on(shard), lane_on(shard)]
            verdicts = []
            for start in range(0, len(bids), 40):
                if start == 200:
                    under_way = asyncio.create_task(bid_at_once(lanes, bids[start : start + 40]))
                    await asyncio.sleep(0.002)
                    os.kill(process.pid, signal.SIGKILL)
                    verdicts += await under_way
                    await process.wait()
                    process = await _start(postgres)
                    await _answers(auctions, auction_ids[0])
                else:
                    verdicts += await bid_at_once(lanes, bids[start : start + 40])
            unknown = [v for v in verdicts if isinstance(v, ShardUnavailable)]
            assert len(verdicts) == len(bids)
            assert len(unknown) <= 80
            await audit(shard, auctions, auction_ids)
            again = await bid_at_once(lanes, bids)
            pairs = zip(verdicts, again, strict=True)
            kept = [(v, w) for v, w in pairs if isinstance(v, PlacedBid)]
            assert len(kept) == len(accepted(verdicts)) > 20
            assert all(answer(v) == answer(w) for v, w in kept)
            await audit(shard, auctions, auction_ids)
    finally:
        await process.stop()


async def _start(postgres: Postgres) -> Process:
    command = postgres.command()
    process = Process.start(command, log_path=postgres._folder / "log")
    await postgres.prepare()
    await await_ready(postgres, process)
    return process


async def _answers(auctions: PostgresAuctions, auction_id: str) -> None:
    """Wait until the pool has found the server again."""
    for _ in range(100):
        try:
            await auctions.get(auction_id)
        except ShardUnavailable:
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError("The server came back, and the pool did not.")
