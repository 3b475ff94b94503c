"""Two replicas of the whole auction service on one Postgres, a wallet, and the crash of a replica.

Each replica is wired as its process wires it, with lanes, pools and caches of its own, and is
called over gRPC with the contract's checks. Between it and the database is a wire that can be cut.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import grpc
import psycopg
from psycopg.types.string import TextLoader

from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from blytz.auction.v1.show_service_pb2_grpc import ShowServiceStub
from fakes.auction_shards import NOWHERE
from fakes.mesh import (
    CALL_TIMEOUT_S,
    Refusal,
    bearer,
    channel_to,
    channels_of,
    identity_in,
    mint_token,
    refusal_from,
    serving,
)
from fakes.postgres_proxy import PostgresProxy
from fakes.token_mint import AUDIENCE, ISSUER, TokenMint
from fakes.wallet_grpc_service import DESCRIPTOR as WALLET
from fakes.wallet_grpc_service import FakeWallet
from kernel.errors import Overloaded
from servicekit.main import Kit, Wiring
from servicekit.tls import MeshIdentity
from stack.ports import PortReservations
from svc_auction.infrastructure.bid_lane import BidLane
from svc_auction.infrastructure.grpc_bidding import BiddingCalls
from svc_auction.infrastructure.shards import Shard
from svc_auction.infrastructure.wallet_power import WalletPower
from svc_auction.settings import AuctionSettings
from svc_auction.wiring import wire

TRIES_MAX = 40
UNKNOWN = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,
    }
)
"""How a call ends of which nobody knows whether it was done."""


@dataclass
class Replica:
    """One replica: how to call it, its insides, and its wire to the database."""

    stubs: tuple[Any, Any]
    wiring: Wiring
    wire: PostgresProxy

    @property
    def lane(self) -> BidLane:
        handlers = [handler for _, calls in self.wiring.rpc for handler in _several(calls)]
        (bidding,) = [handler for handler in handlers if isinstance(handler, BiddingCalls)]
        lanes: Any = bidding._place_bid._lanes
        lane: BidLane = lanes._lanes[0]
        return lane

    @property
    def shard(self) -> Shard:
        return self.lane._shard

    @property
    def power(self) -> WalletPower:
        owners = [getattr(loop, "__self__", None) for loop in self.wiring.background]
        (power,) = [owner for owner in owners if isinstance(owner, WalletPower)]
        return power

    def method(self, name: str) -> Any:
        (found,) = [getattr(stub, name) for stub in self.stubs if hasattr(stub, name)]
        return found

    async def once(self, name: str, request: Any, person: Any) -> Any:
        """Call an RPC once; return the answer, or the refusal."""
        try:
            return await self.method(name)(request, metadata=person or [], timeout=CALL_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            return refusal_from(error)

    async def call(self, name: str, request: Any, person: Any = None) -> tuple[Any, bool]:
        """Call an RPC until its outcome is known; return it, and whether it took several tries."""
        for tries in range(TRIES_MAX):
            outcome = await self.once(name, request, person)
            if not is_unknown(outcome):
                return outcome, tries > 0
            await asyncio.sleep(0.02 * tries)
        raise AssertionError(f"{name} does not come to an end: {outcome}")

    def die(self) -> None:
        """Let the lane end in the middle of what it does, and all connections with it."""
        lane = self.lane
        if lane._running is not None:
            lane._running.cancel()
        waiting, lane._waiting = lane._waiting, []
        for _, verdict in waiting:
            if not verdict.done():
                verdict.set_exception(Overloaded(retry_after_s=0.1))
        for writer in self.wire._writers:
            writer.transport.abort()


def is_unknown(outcome: Any) -> bool:
    return isinstance(outcome, Refusal) and outcome.code in UNKNOWN


def _several(calls: Any) -> Sequence[Any]:
    return calls if isinstance(calls, tuple) else (calls,)


@dataclass
class Replicas:
    """The replicas, the wallet they share, and a connection of one's own to their database."""

    both: tuple[Replica, Replica]
    wallet: FakeWallet
    mint: TokenMint
    database: psycopg.AsyncConnection[tuple[Any, ...]]

    def person(self, user_id: str, *roles: str) -> list[tuple[str, str]]:
        return bearer(mint_token(self.mint, user_id, *roles))

    async def rows(
        self, query: LiteralString, parameters: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        found = await self.database.execute(query, parameters)
        return await found.fetchall() if found.description else []

    async def end_backends_of(self, replica: Replica) -> None:
        """Have the database end all connections of one replica."""
        ports = [w.get_extra_info("sockname")[1] for w in replica.wire._writers]
        await self.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where client_port = any(%(ports)s) and pid <> pg_backend_pid()",
            {"ports": ports},
        )

    async def carry_out(self, bidder_ids: Sequence[str]) -> None:
        """Have both replicas at once carry out what they still have to tell the wallet."""
        for _ in range(TRIES_MAX):
            await self.rows(
                "update power_transfers set next_try_at = clock_timestamp()"
                " where state = 1 and bidder_id = any(%(bidders)s::uuid[])",
                {"bidders": list(bidder_ids)},
            )
            await asyncio.gather(*(r.power.carry_out(r.shard) for r in self.both))
            left = await self.rows(
                "select from power_transfers"
                " where state = 1 and bidder_id = any(%(bidders)s::uuid[])",
                {"bidders": list(bidder_ids)},
            )
            if not left:
                return
        raise AssertionError("Some transfers do not come to an end.")


@asynccontextmanager
async def replicas_on(
    postgres_url: str, *, tls_folder: Path, ports: PortReservations, mint: TokenMint
) -> AsyncIterator[Replicas]:
    """Serve two replicas without their background loops, and a wallet."""
    wallet = FakeWallet()
    wallet_address = f"127.0.0.1:{ports.take()}"
    async with AsyncExitStack() as stack:
        identity = MeshIdentity.load(tls_folder / "payment")
        await stack.enter_async_context(
            serving([(WALLET, wallet)], address=wallet_address, identity=identity, mint=mint)
        )
        both = [
            await stack.enter_async_context(
                _replica(
                    postgres_url,
                    wallet_address=wallet_address,
                    address=f"127.0.0.1:{ports.take()}",
                    tls_folder=tls_folder,
                    mint=mint,
                )
            )
            for _ in range(2)
        ]
        database = await psycopg.AsyncConnection.connect(postgres_url, autocommit=True)
        database.adapters.register_loader("uuid", TextLoader)
        async with database:
            yield Replicas((both[0], both[1]), wallet, mint, database)


@asynccontextmanager
async def _replica(
    postgres_url: str, *, wallet_address: str, address: str, tls_folder: Path, mint: TokenMint
) -> AsyncIterator[Replica]:
    identity = identity_in(tls_folder, "auction")
    async with AsyncExitStack() as stack:
        wire_to_database = await stack.enter_async_context(PostgresProxy(postgres_url).listening())
        settings = AuctionSettings(
            environment="development",
            grpc_address=address,
            admin_address=NOWHERE,
            tls_dir=tls_folder / "auction",
            postgres_url=wire_to_database.url,
            kafka_bootstrap=NOWHERE,
            token_issuer=ISSUER,
            token_audience=AUDIENCE,
        )
        channels = await stack.enter_async_context(
            channels_of(identity, {"payment": wallet_address})
        )
        wiring = await stack.enter_async_context(
            wire(settings, Kit(channels=channels, stopping=asyncio.Event()))
        )
        await stack.enter_async_context(
            serving(wiring.rpc, address=address, identity=identity, mint=mint)
        )
        channel = await stack.enter_async_context(
            channel_to(address, "auction", identity_in(tls_folder, "edge"))
        )
        stubs = (AuctionServiceStub(channel), ShowServiceStub(channel))
        yield Replica(stubs, wiring, wire_to_database)
