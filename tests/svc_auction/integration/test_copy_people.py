"""A shard that joins learns of everybody whom the others know."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.auction_shards import auction_database, rows_of, shards_on
from fakes.people_events import BARS, CARDS, NOON, card, linked, note, only_of
from fakes.service_process import run_role
from kernel.ids import new_id
from stack.parts.postgres import Postgres
from stack.ports import LOOPBACK, PortReservations
from svc_auction.application.ports import Block
from svc_auction.infrastructure.postgres_people import ShardBlocks, copy_people
from svc_auction.infrastructure.shards import Shards

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def second_url(postgres_server: Postgres) -> str:
    return auction_database(postgres_server)


@pytest.fixture
async def both(auction_url: str, second_url: str) -> AsyncIterator[Shards]:
    async with shards_on({3: auction_url, 200: second_url}) as shards:
        yield shards


async def test_a_shard_that_joins_is_told_everything(
    both: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("svc_auction.infrastructure.postgres_people.PAGE_ROWS", 3)
    first, second = both
    sellers = [new_id() for _ in range(5)]
    buyers = [new_id() for _ in range(5)]
    for seller_id, buyer_id in zip(sellers, buyers, strict=True):
        await note(first, linked(seller_id, buyer_id), card(buyer_id))
    later = NOON + MINUTE
    await note(second, linked(sellers[0], buyers[0], later, together=False), card(buyers[1], later))
    await note(first, card(buyers[1], saved=False))
    await ShardBlocks(second).write(Block(sellers[2], buyers[3], barred=True, changed_at=NOON))
    for _ in range(2):
        assert await copy_people(both)
    bars = [sorted(await rows_of(shard, BARS, sellers + buyers)) for shard in both]
    assert bars[0] == bars[1]
    assert len(bars[0]) == 11
    assert (sellers[0], buyers[0], 2, False) in bars[0]
    assert (sellers[2], buyers[3], 1, True) in bars[0]
    cards = [dict(await rows_of(shard, CARDS, buyers)) for shard in both]
    assert cards == [dict.fromkeys(buyers, True)] * 2


async def test_copying_goes_on_with_the_shards_that_are_there(
    auction_url: str, second_url: str, port_reservations: PortReservations
) -> None:
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    seller_id, bidder_id = new_id(), new_id()
    async with shards_on({1: nowhere, 3: auction_url, 9: second_url}) as shards:
        await note(only_of(shards, 3), linked(seller_id, bidder_id))
        assert not await copy_people(shards)
        found = await rows_of(only_of(shards, 9), BARS, [seller_id])
    assert found == [(seller_id, bidder_id, 2, True)]


async def test_the_role_copies_and_says_whether_all_were_there(
    auction_url: str, tls_folder: Path, port_reservations: PortReservations, second_url: str
) -> None:
    seller_id, bidder_id = new_id(), new_id()
    async with shards_on({3: auction_url, 200: second_url}) as shards:
        await note(only_of(shards, 3), linked(seller_id, bidder_id))
    settings = {
        "environment": "development",
        "tls_dir": str(tls_folder / "auction"),
        "grpc_address": LOOPBACK,
        "admin_address": LOOPBACK,
        "postgres_url": auction_url,
        "kafka_bootstrap": LOOPBACK,
        "shard_urls": f"3={auction_url};200={second_url}",
    }
    copied = await asyncio.to_thread(run_role, "svc_auction", ["copy-people"], settings)
    assert copied.returncode == 0, copied.stdout + copied.stderr
    async with shards_on({3: auction_url, 200: second_url}) as shards:
        found = await rows_of(only_of(shards, 200), BARS, [seller_id])
    assert found == [(seller_id, bidder_id, 2, True)]
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    settings["shard_urls"] += f";9={nowhere}"
    copied = await asyncio.to_thread(run_role, "svc_auction", ["copy-people"], settings)
    assert copied.returncode == 1, copied.stdout + copied.stderr
    assert "people_not_copied" in copied.stdout
