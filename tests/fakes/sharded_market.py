"""A market on several Postgres servers: replicas of svc_auction as processes, and busy people.

Each stall is one seller and two bidders who outbid each other on the seller's auctions and on
nobody else's, so that every call of theirs must be answered OK. They call as the gateway does:
either replica, with the retries that the contract allows and no others.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from fakes.auction_service import Metadata, bid_request, create_request, in_minutes
from fakes.auction_shards import auction_database
from fakes.mesh import bearer, channels_of, identity_in, mint_token
from fakes.service_process import ServiceProcess, started
from fakes.token_mint import TokenMint
from fakes.wallet_grpc_service import FakeWallet
from kernel.ids import new_id, shard_of
from servicekit.channels import Channels
from stack.part import running
from stack.parts.postgres import Postgres
from stack.ports import LOOPBACK, PortReservations
from stack.process import Process
from stack.secret import Secret

PAUSE_S = 0.02
MIN_READY_S = 2.0
"""How long a roll-out lets a replica be ready before the next one drains: clients that were refused
a connection try again within a second."""
PURSE_MINOR = 10_000_000_000
RAISE_MINOR = 10_000
"""Above the ladder's highest step, so that each bid is enough."""


@dataclass
class Server:
    """A Postgres of its own, which can be killed and started again."""

    part: Postgres
    folder: Path
    process: Process | None = None
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    @classmethod
    def on_port(cls, port: int, folder: Path) -> "Server":
        folder.mkdir()
        secret = Secret.load(folder / "secret")
        return cls(Postgres(folder=folder, port=port, secret=secret, durable=False), folder)

    async def start(self) -> None:
        block = running(self.part, log_folder=self.folder)
        self.process = await self._running.enter_async_context(block)

    async def kill(self) -> None:
        """End the server and all its backends at once; what was not committed is gone."""
        assert self.process is not None
        self.process.kill()
        await self.stop()

    async def stop(self) -> None:
        await self._running.aclose()


@asynccontextmanager
async def servers(
    count: int, folder: Path, ports: PortReservations
) -> AsyncIterator[Sequence[Server]]:
    """Run some Postgres servers."""
    async with AsyncExitStack() as stack:
        found = [Server.on_port(ports.take(), folder / f"server-{n}") for n in range(count)]
        for server in found:
            stack.push_async_callback(server.stop)
        await asyncio.gather(*(server.start() for server in found))
        yield found


async def urls_on(found: Sequence[Server]) -> dict[int, str]:
    """Make a shard on each server; return their addresses by shard number."""
    urls = [await asyncio.to_thread(auction_database, server.part) for server in found]
    return dict(enumerate(urls))


def map_of(urls: Mapping[int, str]) -> str:
    """Return the setting that names the shards."""
    return ";".join(f"{number}={url}" for number, url in urls.items())


@dataclass
class Replica:
    """A replica of svc_auction at a fixed address; ``restart`` drains it and brings it back."""

    settings: Mapping[str, str]
    log_folder: Path
    process: ServiceProcess | None = None
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)
    _starts: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def address(self) -> str:
        return self.settings["grpc_address"]

    async def start(self, **changes: str) -> None:
        self.settings = {**self.settings, **changes}
        port = self.address.rpartition(":")[2]
        log_path = self.log_folder / f"replica-{port}-{next(self._starts)}.log"
        block = started("svc_auction", ["serve"], self.settings, log_path)
        self.process = await self._running.enter_async_context(block)
        await self.process.until_ready()

    async def restart(self, **changes: str) -> None:
        assert self.process is not None
        assert await self.process.stop() == 0, self.process.log
        await self.stop()
        await self.start(**changes)

    async def stop(self) -> None:
        await self._running.aclose()


@asynccontextmanager
async def replicas(
    count: int, settings: Mapping[str, str], folder: Path, ports: PortReservations
) -> AsyncIterator[Sequence[Replica]]:
    """Serve svc_auction from some processes."""
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            addresses = {
                "grpc_address": f"{LOOPBACK}:{ports.take()}",
                "admin_address": f"{LOOPBACK}:{ports.take()}",
            }
            replica = Replica({**settings, **addresses}, folder)
            stack.push_async_callback(replica.stop)
            found.append(replica)
        await asyncio.gather(*(replica.start() for replica in found))
        yield found


async def roll_out(pair: Sequence[Replica], **changes: str) -> None:
    """Restart one replica after the other with changed settings."""
    for replica in pair:
        await replica.restart(**changes)
        await asyncio.sleep(MIN_READY_S)


@dataclass
class Market:
    """Who trades, and what was answered to them."""

    mint: TokenMint
    wallet: FakeWallet
    created_ids: list[str] = field(default_factory=list)
    bids: dict[str, set[str]] = field(default_factory=dict)
    refused: list[grpc.aio.AioRpcError] = field(default_factory=list)

    def person(self, user_id: str, *roles: str) -> Metadata:
        return bearer(mint_token(self.mint, user_id, *roles))

    @asynccontextmanager
    async def open(
        self, stalls: Sequence["Stall"], tls_folder: Path, addresses: Sequence[str]
    ) -> AsyncIterator[None]:
        """Trade while the block runs; half of the stalls prefer one replica, half the other."""
        edge = identity_in(tls_folder, "edge")
        turns = [f"ipv4:{','.join(turn)}" for turn in (addresses, list(reversed(addresses)))]
        async with (
            channels_of(edge, {"auction": turns[0]}) as first,
            channels_of(edge, {"auction": turns[1]}) as second,
        ):
            closing = asyncio.Event()
            tasks = [
                asyncio.create_task(stall.trade(channels, closing))
                for stall, channels in zip(stalls, itertools.cycle((first, second)), strict=False)
            ]
            try:
                yield
            finally:
                closing.set()
                await asyncio.gather(*tasks)

    def created_since(self, count: int) -> set[int]:
        """Return the shards of the auctions that were created after the first ``count``."""
        return {shard_of(auction_id) for auction_id in self.created_ids[count:]}


class Stall:
    """One seller who opens auction after auction, and two who outbid each other there."""

    def __init__(self, market: Market, *, open_max: int = 6) -> None:
        self._market = market
        self._open_max = open_max
        self.seller_id = new_id()
        self._bidder_ids = [new_id(), new_id()]
        for bidder_id in self._bidder_ids:
            market.wallet.available[bidder_id, "USD"] = PURSE_MINOR
        self._next_minor = itertools.count(RAISE_MINOR, RAISE_MINOR)
        self.auction_ids: list[str] = []

    async def trade(self, channels: Channels, closing: asyncio.Event) -> None:
        """Create, start and bid until the market closes; a refusal is noted, and trade goes on."""
        stub: Any = channels.stub(AuctionServiceStub)
        while not closing.is_set():
            with suppress(grpc.aio.AioRpcError):
                auction_id = await self._noted(self._offer(stub))
                self.auction_ids.append(auction_id)
                self._market.created_ids.append(auction_id)
            for auction_id in self.auction_ids[-self._open_max :] + self.auction_ids[:2]:
                with suppress(grpc.aio.AioRpcError):
                    await self._noted(self._bid(stub, auction_id))
                await asyncio.sleep(PAUSE_S)

    async def _noted(self, call: Any) -> Any:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            self._market.refused.append(error)
            raise

    async def _offer(self, stub: Any) -> str:
        seller = self._market.person(self.seller_id, "SELLER")
        created = await stub.CreateAuction(create_request(), metadata=seller)
        auction_id = str(created.auction.auction_id)
        start = messages.StartAuctionRequest(auction_id=auction_id, ends_at=in_minutes(60))
        await stub.StartAuction(start, metadata=seller)
        return auction_id

    async def _bid(self, stub: Any, auction_id: str) -> None:
        maximum_minor = next(self._next_minor)
        bidder_id = self._bidder_ids[maximum_minor // RAISE_MINOR % 2]
        request = bid_request(auction_id, maximum_minor)
        await stub.PlaceBid(request, metadata=self._market.person(bidder_id))
        self._market.bids.setdefault(auction_id, set()).add(request.request_id)


def bidder_of(market: Market) -> Any:
    bidder_id = new_id()
    market.wallet.available[bidder_id, "USD"] = PURSE_MINOR
    return market.person(bidder_id)


async def bid_until_taken(stub: Any, market: Market, auction_id: str) -> None:
    """Bid again and again, as one who was told to retry, until the shard is back."""
    request, bidder = bid_request(auction_id, 700), bidder_of(market)
    for _ in range(60):
        try:
            await stub.PlaceBid(request, metadata=bidder, timeout=5)
        except Exception as error:  # noqa: BLE001 - told below when it goes on
            last = error
            await asyncio.sleep(0.25)
        else:
            return
    raise AssertionError(last)
