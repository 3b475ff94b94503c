"""Reading through the whole service and its cache: who sees what, how fresh, with which header."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from blytz.auction.v1 import auction_pb2
from blytz.auction.v1 import auction_service_pb2 as messages
from fakes.auction_service import AuctionClients, Metadata, auction_service, bid_request, usd
from fakes.auction_shards import rows_of
from fakes.mesh import refusal_of
from fakes.token_mint import TokenMint
from fakes.wallet_grpc_service import FakeWallet
from kernel.ids import new_id
from servicekit.redis import connect
from stack.ports import PortReservations
from svc_auction.application.read_auctions import SEQUENCE_MAX
from svc_auction.infrastructure import optional_redis, public_reads, read_cache
from svc_auction.infrastructure.shards import Shard

SEALED = auction_pb2.AUCTION_FORMAT_SEALED_SECOND_PRICE


@pytest.fixture
def slow_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets nothing that is kept end within a test by itself."""
    monkeypatch.setattr(read_cache, "PICTURE_TTL_MS", 60_000)
    monkeypatch.setattr(public_reads, "LIST_TTL_MS", 60_000)
    monkeypatch.setattr(optional_redis, "ANSWER_S_MAX", 10.0)


@pytest.fixture
async def cached(  # noqa: PLR0917 - fixtures
    slow_time: None,
    auction_url: str,
    redis_url: str,
    wallet: tuple[FakeWallet, str],
    tls_folder: Path,
    port_reservations: PortReservations,
    mint: TokenMint,
) -> AsyncIterator[AuctionClients]:
    """The service with its Redis."""
    del slow_time
    async with auction_service(
        postgres_url=auction_url,
        wallet=wallet,
        tls_folder=tls_folder,
        address=f"127.0.0.1:{port_reservations.take()}",
        mint=mint,
        stopping=asyncio.Event(),
        loops=["AnnouncementLoop.run"],
        redis_url=redis_url,
    ) as served:
        yield served


async def rename(shard: Shard, auction_id: str, title: str) -> None:
    """Change a title behind the service's back, so that nobody is told."""
    async with shard.transaction() as connection:
        await connection.execute(
            "update auctions set title = %s where auction_id = %s", (title, auction_id)
        )


async def fresh(clients: AuctionClients, auction_id: str, sequence: int) -> auction_pb2.Auction:
    """Return what the public sees once it has come to a position."""
    async with asyncio.timeout(10):
        while True:
            auction: auction_pb2.Auction = (await clients.get(auction_id)).auction
            if auction.position.sequence >= sequence:
                return auction
            await asyncio.sleep(0.01)


async def bids_of(
    clients: AuctionClients, auction_id: str, metadata: Metadata | None = None, **more: Any
) -> messages.ListBidsResponse:
    request = messages.ListBidsRequest(auction_id=auction_id, **more)
    response: messages.ListBidsResponse = await clients.edge.ListBids(
        request, metadata=metadata or []
    )
    return response


async def listed(
    clients: AuctionClients, auction_id: str, metadata: Metadata | None = None
) -> auction_pb2.Auction:
    """Return an auction as the list of its seller's live ones shows it."""
    answer = await clients.edge.ListAuctions(
        messages.ListAuctionsRequest(seller_id=clients.seller_id), metadata=metadata or []
    )
    return next(auction for auction in answer.auctions if auction.auction_id == auction_id)


async def test_the_public_reads_what_is_kept_and_services_read_what_is(
    cached: AuctionClients, shard: Shard
) -> None:
    auction_id = await cached.live()
    request = messages.GetAuctionRequest(auction_id=auction_id)
    await fresh(cached, auction_id, 2)
    await rename(shard, auction_id, "Renamed")
    assert (await cached.get(auction_id)).auction.title == "Cartier Tank"
    assert (await cached.get(auction_id, cached.person())).auction.title == "Cartier Tank"
    assert (await cached.stubs["realtime"].GetAuction(request)).auction.title == "Renamed"
    assert (await cached.get(auction_id, cached.seller)).auction.title == "Renamed"


async def test_a_change_reaches_the_public_long_before_what_is_kept_ends(
    cached: AuctionClients,
) -> None:
    auction_id = await cached.live()
    await fresh(cached, auction_id, 2)
    placed = await cached.edge.PlaceBid(bid_request(auction_id, 50_00), metadata=cached.person())
    assert (await fresh(cached, auction_id, placed.position.sequence)).bid_count == 1
    assert [bid.bid_id for bid in (await bids_of(cached, auction_id)).bids] == [placed.bid.bid_id]
    await cached.edge.CloseAuction(
        messages.CloseAuctionRequest(auction_id=auction_id), metadata=cached.seller
    )
    ended = await fresh(cached, auction_id, placed.position.sequence + 1)
    assert ended.state == auction_pb2.AUCTION_STATE_ENDED


async def test_a_bidder_reads_their_own_standing_as_it_is_committed(
    cached: AuctionClients,
) -> None:
    auction_id = await cached.live()
    await fresh(cached, auction_id, 2)
    ada, bob = cached.person(), cached.person()
    for bidder, maximum_minor in ((ada, 50_00), (bob, 70_00), (ada, 90_00)):
        placed = await cached.edge.PlaceBid(bid_request(auction_id, maximum_minor), metadata=bidder)
        read = await cached.get(auction_id, bidder)
        assert read.own_standing.leading
        assert read.own_standing.maximum == usd(maximum_minor)
        assert read.auction.position == placed.position
        assert read.auction.leader_alias == read.own_standing.alias
    assert not (await cached.get(auction_id, bob)).own_standing.leading
    assert not (await cached.get(auction_id, cached.person())).HasField("own_standing")


@pytest.mark.parametrize("warm", [False, True])
async def test_only_the_seller_and_the_bidder_learn_who_bids(
    cached: AuctionClients,
    warm: bool,  # noqa: FBT001
) -> None:
    auction_id = await cached.live()
    ada_id, bob_id = new_id(), new_id()
    ada, bob = cached.person(user_id=ada_id), cached.person(user_id=bob_id)
    await cached.edge.PlaceBid(bid_request(auction_id, 50_00), metadata=ada)
    await cached.edge.PlaceBid(bid_request(auction_id, 20_00), metadata=bob)
    if warm:
        await fresh(cached, auction_id, 4)
        await bids_of(cached, auction_id)
        await listed(cached, auction_id)
    everyone: list[tuple[Metadata, str, list[str]]] = [
        (cached.seller, ada_id, [bob_id, ada_id]),
        (ada, "", ["", ada_id]),
        (bob, "", [bob_id, ""]),
        (cached.person(), "", ["", ""]),
        (cached.person("SELLER"), "", ["", ""]),
        ([], "", ["", ""]),
    ]
    for metadata, leader_id, bidder_ids in everyone:
        assert (await cached.get(auction_id, metadata)).auction.leader_id == leader_id
        assert (await listed(cached, auction_id, metadata)).leader_id == leader_id
        bids = (await bids_of(cached, auction_id, metadata)).bids
        assert [bid.bidder_id for bid in bids] == bidder_ids
        assert all(bid.bidder_alias for bid in bids)


async def test_a_sealed_auction_tells_nobody_anything_until_it_ends(
    cached: AuctionClients,
) -> None:
    auction_id = await cached.live(terms=auction_pb2.AuctionTerms(format=SEALED))
    ada, bob = cached.person(), cached.person()
    await cached.edge.PlaceBid(bid_request(auction_id, 50_00), metadata=ada)
    await cached.edge.PlaceBid(bid_request(auction_id, 20_00), metadata=bob)
    await fresh(cached, auction_id, 4)
    for metadata in (cached.seller, ada, bob, cached.person(), []):
        for _again in range(2):
            read = await cached.get(auction_id, metadata)
            for auction in (read.auction, await listed(cached, auction_id, metadata)):
                assert (auction.price, auction.minimum_next_bid) == (usd(1), usd(1))
                assert (auction.leader_alias, auction.leader_id) == ("", "")
            assert not read.own_standing.leading
            for bid in (await bids_of(cached, auction_id, metadata)).bids:
                assert (bid.price, bid.leader_alias) == (usd(1), "")
    assert (await cached.get(auction_id, ada)).own_standing.maximum == usd(50_00)
    await cached.edge.CloseAuction(
        messages.CloseAuctionRequest(auction_id=auction_id), metadata=cached.seller
    )
    ended = await fresh(cached, auction_id, 5)
    assert ended.price == usd(20_00)
    assert ended.leader_alias
    assert (await cached.get(auction_id, ada)).own_standing.leading


async def test_a_draft_is_never_kept(cached: AuctionClients, redis_url: str) -> None:
    auction_id = (await cached.draft()).auction_id
    request = messages.GetAuctionRequest(auction_id=auction_id)
    for _again in range(2):
        assert (await cached.get(auction_id, cached.seller)).auction.auction_id == auction_id
        assert (await bids_of(cached, auction_id, cached.seller)).position.sequence == 1
        for metadata in ([], cached.person()):
            refused = await refusal_of(cached.edge.GetAuction, request, metadata)
            assert (refused.code, refused.reason) == (
                grpc.StatusCode.NOT_FOUND,
                "AUCTION_NOT_FOUND",
            )
    client = connect(redis_url)
    assert await client.keys(f"*{auction_id}*") == []
    await client.aclose()


async def test_no_bid_up_to_a_pages_position_is_missing(
    cached: AuctionClients, shard: Shard
) -> None:
    """Read by everyone while bids come in; compared with the whole log afterwards."""
    auction_id = await cached.live()
    pages: list[tuple[int, int, messages.ListBidsResponse]] = []
    bidding = True

    async def bid() -> None:
        bidders = [cached.person() for _ in range(4)]
        for number in range(60):
            await cached.edge.PlaceBid(
                bid_request(auction_id, 1_00 * (number + 1)), metadata=bidders[number % 4]
            )

    async def read(stub: Any, page_size: int) -> None:
        while bidding:
            before, token = SEQUENCE_MAX, ""
            for _page in range(2):
                request = messages.ListBidsRequest(
                    auction_id=auction_id, page_size=page_size, page_token=token
                )
                page = await stub.ListBids(request)
                pages.append((page_size, before, page))
                if not (token := page.next_page_token):
                    break
                before = page.bids[-1].sequence

    readers = [
        asyncio.create_task(read(cached.stubs[workload], page_size))
        for workload in ("edge", "realtime")
        for page_size in (5, 200)
    ]
    await bid()
    bidding = False
    await asyncio.gather(*readers)
    rows = await rows_of(
        shard, "select sequence from bids where auction_id = %s order by 1 desc", auction_id
    )
    assert len(rows) == 60
    assert len({page.position.sequence for *_, page in pages}) > 10
    for page_size, before, page in pages:
        true = [s for (s,) in rows if s < before and s <= page.position.sequence]
        assert [each.sequence for each in page.bids] == true[:page_size]
        assert bool(page.next_page_token) == (len(page.bids) == page_size)


async def test_a_list_is_kept_for_everyone_and_not_for_the_seller(
    cached: AuctionClients, shard: Shard
) -> None:
    auction_id = await cached.live()
    assert (await listed(cached, auction_id)).title == "Cartier Tank"
    await rename(shard, auction_id, "Renamed")
    assert (await listed(cached, auction_id)).title == "Cartier Tank"
    assert (await listed(cached, auction_id, cached.person())).title == "Cartier Tank"
    assert (await listed(cached, auction_id, cached.seller)).title == "Renamed"


async def test_caches_outside_may_keep_what_has_no_token(cached: AuctionClients) -> None:
    auction_id = await cached.live()
    calls: list[tuple[Any, Any]] = [
        (cached.edge.GetAuction, messages.GetAuctionRequest(auction_id=auction_id)),
        (cached.edge.ListBids, messages.ListBidsRequest(auction_id=auction_id)),
        (cached.edge.ListAuctions, messages.ListAuctionsRequest()),
    ]
    for method, request in calls:
        for metadata, wanted in (
            ([], "public, max-age=1"),
            (cached.person(), "private, no-store"),
            (cached.seller, "private, no-store"),
        ):
            call = method(request, metadata=metadata)
            await call
            assert dict(await call.initial_metadata())["cache-control"] == wanted
    call = cached.edge.ListWatchlist(messages.ListWatchlistRequest(), metadata=cached.person())
    await call
    assert "cache-control" not in dict(await call.initial_metadata())
