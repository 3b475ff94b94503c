"""svc_auction as it is deployed: migrated, served with all its loops, killed; its safety job."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from google.api.httpbody_pb2 import HttpBody

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from blytz.events.v1.event_pb2 import Event
from blytz.identity.v1 import auth_service_pb2
from fakes.auction_books import bid_of
from fakes.auction_service import bid_request, create_request, in_minutes
from fakes.auction_shards import (
    auctions_on,
    end_in,
    live_auction,
    only,
    rows_of,
    shards_on,
)
from fakes.lane_bids import lane_on
from fakes.mesh import bearer, channel_to, identity_in, mint_token, serving
from fakes.scripted_service import ScriptedService
from fakes.service_process import run_role, started
from fakes.token_mint import AUDIENCE, ISSUER, TokenMint
from fakes.wallet_grpc_service import FakeWallet
from kernel.ids import new_id
from servicekit.tls import MeshIdentity
from stack.parts.postgres import Postgres
from stack.ports import LOOPBACK, PortReservations
from svc_auction.domain.book import State

AUTH = auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"]


@pytest.fixture
async def identity_address(
    tls_folder: Path, port_reservations: PortReservations, mint: TokenMint
) -> AsyncIterator[str]:
    """Who has the keys of the tokens."""

    async def keys(_request: Any, _call: Any) -> HttpBody:
        return HttpBody(content_type="application/json", data=mint.jwks())

    script = ScriptedService(AUTH)
    script.scripts["GetJwks"] = keys
    address = f"{LOOPBACK}:{port_reservations.take()}"
    identity = MeshIdentity.load(tls_folder / "identity")
    async with serving([(AUTH, script)], address=address, identity=identity, mint=mint):
        yield address


@pytest.fixture
def addresses(
    port_reservations: PortReservations, wallet: tuple[FakeWallet, str], identity_address: str
) -> dict[str, str]:
    return {
        "payment_address": wallet[1],
        "identity_address": identity_address,
        "grpc_address": f"{LOOPBACK}:{port_reservations.take()}",
        "admin_address": f"{LOOPBACK}:{port_reservations.take()}",
    }


@pytest.fixture
def settings(
    postgres_server: Postgres, kafka_bootstrap: str, tls_folder: Path, addresses: dict[str, str]
) -> dict[str, str]:
    return addresses | {
        "environment": "development",
        "tls_dir": str(tls_folder / "auction"),
        "postgres_url": postgres_server.create_database("auction"),
        "kafka_bootstrap": kafka_bootstrap,
        "token_issuer": ISSUER,
        "token_audience": AUDIENCE,
        "drain_delay_s": "0",
        "drain_grace_s": "2",
    }


def published(kafka_bootstrap: str, auction_id: str, count: int) -> list[Event]:
    """Return the first events of an auction in the broker's order."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka_bootstrap,
            "group.id": new_id(),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    # Assigned, not subscribed: joining a group takes seconds.
    partitions = consumer.list_topics("auction.events", 10).topics["auction.events"].partitions
    consumer.assign(
        [TopicPartition("auction.events", number, OFFSET_BEGINNING) for number in partitions]
    )
    found: list[Event] = []
    give_up_at_s = time.monotonic() + 40
    try:
        while len(found) < count:
            assert time.monotonic() < give_up_at_s, found
            message = consumer.poll(0.2)
            if message is not None and not message.error():
                event = Event.FromString(message.value() or b"")
                found += [event] if event.aggregate_id == auction_id else []
    finally:
        consumer.close()
    return found


async def test_a_bid_is_taken_published_and_paid_and_survives_a_kill(
    settings: dict[str, str],
    wallet: tuple[FakeWallet, str],
    tls_folder: Path,
    mint: TokenMint,
    tmp_path: Path,
) -> None:
    migrated = await asyncio.to_thread(run_role, "svc_auction", ["migrate"], settings)
    assert migrated.returncode == 0, migrated.stderr
    edge = identity_in(tls_folder, "edge")
    seller_id, ada = new_id(), new_id()
    wallet[0].available[ada, "USD"] = 100_00
    seller = bearer(mint_token(mint, seller_id, "SELLER"))
    bid = bid_request("", 25_00)
    async with (
        started("svc_auction", [], settings, tmp_path / "first") as process,
        channel_to(settings["grpc_address"], "auction", edge) as channel,
    ):
        await process.until_ready()
        stub = AuctionServiceStub(channel)
        created = await stub.CreateAuction(create_request(), metadata=seller)
        bid.auction_id = created.auction.auction_id
        start = messages.StartAuctionRequest(auction_id=bid.auction_id, ends_at=in_minutes(60))
        await stub.StartAuction(start, metadata=seller)
        first = await stub.PlaceBid(bid, metadata=bearer(mint_token(mint, ada)))
        assert await process.stop(signal.SIGKILL) == -signal.SIGKILL
    async with (
        started("svc_auction", ["serve"], settings, tmp_path / "second") as process,
        channel_to(settings["grpc_address"], "auction", edge) as channel,
    ):
        await process.until_ready()
        stub = AuctionServiceStub(channel)
        again = await stub.PlaceBid(bid, metadata=bearer(mint_token(mint, ada)))
        assert again.SerializeToString() == first.SerializeToString()
        close = messages.CloseAuctionRequest(auction_id=bid.auction_id)
        await stub.CloseAuction(close, metadata=seller)
        events = await asyncio.to_thread(published, settings["kafka_bootstrap"], bid.auction_id, 4)
        assert [event.sequence for event in events] == [1, 2, 3, 4]
        assert [event.type for event in events][2:] == ["bid.placed", "auction.end"]
        for _ in range(500):
            if wallet[0].earned[seller_id, "USD"]:
                break
            await asyncio.sleep(0.02)
        assert wallet[0].earned[seller_id, "USD"] == 1
        assert await process.stop() == 0
        assert ada not in process.log
        assert "Bearer" not in process.log


async def test_the_safety_job_ends_what_no_replica_ended(settings: dict[str, str]) -> None:
    migrated = await asyncio.to_thread(run_role, "svc_auction", ["migrate"], settings)
    assert migrated.returncode == 0, migrated.stderr
    async with shards_on(settings["postgres_url"]) as shards:
        auctions, shard = auctions_on(shards), only(shards)
        ids = [await live_auction(auctions) for _ in range(3)]
        await lane_on(shard).place(bid_of(new_id(), 50_00, auction_id=ids[0]))
        for auction_id in ids:
            await end_in(shard, auction_id, 0)
        closed = await asyncio.to_thread(run_role, "svc_auction", ["close-due"], settings)
        assert closed.returncode == 0, closed.stderr
        states = {(await auctions.get(auction_id)).book.state for auction_id in ids}
        assert states == {State.ENDED}
        waiting = await rows_of(shard, "select count(*) from outbox where sent_at is null")
        assert waiting[0][0] > 0, "a replica publishes it"


def test_a_malformed_shard_map_is_one_line(settings: dict[str, str]) -> None:
    ended = run_role("svc_auction", ["serve"], settings | {"open_shards": "7"})
    assert ended.returncode == 1
    assert ended.stderr == "svc_auction: shard 7 is open but has no database\n"


def test_production_needs_a_secret_of_its_own_for_aliases(settings: dict[str, str]) -> None:
    ended = run_role("svc_auction", ["serve"], settings | {"environment": "production"})
    assert ended.returncode == 1
    assert ended.stderr == "svc_auction: BLYTZ_ALIAS_KEY must be a secret in production\n"
