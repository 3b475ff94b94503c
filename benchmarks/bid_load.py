"""The load on PlaceBid: client processes that keep calls waiting, or send them at a fixed rate.

A client speaks to svc_auction's own port as the gateway does, with its certificate and with tokens
of many bidders; so both the empty call and the bid pay for mTLS, HTTP/2 and the same Python client.
"""

import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import grpc
import uvloop
from grpc_health.v1 import health_pb2, health_pb2_grpc

from blytz.auction.v1.auction_service_pb2 import PlaceBidRequest
from blytz.auction.v1.auction_service_pb2_grpc import AuctionServiceStub
from blytz.common.v1.money_pb2 import Money
from kernel.ids import new_id
from servicekit.tls import MeshIdentity

MAXIMUM_STEP = 1_000_000
"""Keeps the maxima of client processes apart, and rising."""


@dataclass(frozen=True, slots=True)
class Load:
    """One run of one client process.

    ``method`` is ``echo`` (an empty unary call) or ``bid``. Without ``rate_per_s`` it keeps
    ``waiting`` calls under way; with it calls start at that rate whatever becomes of them.
    """

    method: str
    address: str
    tls_dir: str
    auction_ids: Sequence[str]
    tokens: Sequence[str]
    first_maximum_minor: int
    waiting: int
    seconds: float
    rate_per_s: float | None = None


@dataclass(slots=True)
class Outcome:
    """What a run came to; latencies in milliseconds, of an open-loop run only."""

    calls: int
    refused: int
    seconds: float
    latencies_ms: list[float]


async def run(load: Load) -> Outcome:
    """Put a load on the server."""
    identity = MeshIdentity.load(Path(load.tls_dir))
    options = [("grpc.ssl_target_name_override", "auction.blytz.internal")]
    async with grpc.aio.secure_channel(
        load.address, identity.channel_credentials(), options=options
    ) as channel:
        call = _echo(channel, load) if load.method == "echo" else _bid(channel, load)
        for _ in range(20):
            await call()
        return await (
            _closed_loop(call, load) if load.rate_per_s is None else _open_loop(call, load)
        )


def _echo(channel: Any, load: Load) -> Callable[[], Awaitable[bool]]:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    metadata = [("authorization", f"Bearer {load.tokens[0]}")]

    async def echo() -> bool:
        await stub.Check(health_pb2.HealthCheckRequest(), metadata=metadata)
        return True

    return echo


def _bid(channel: Any, load: Load) -> Callable[[], Awaitable[bool]]:
    stub = AuctionServiceStub(channel)
    numbers = itertools.count()
    metadata = [[("authorization", f"Bearer {token}")] for token in load.tokens]

    async def bid() -> bool:
        number = next(numbers)
        request = PlaceBidRequest(
            request_id=new_id(),
            auction_id=load.auction_ids[number % len(load.auction_ids)],
            maximum=Money(currency_code="USD", amount_minor=load.first_maximum_minor + number),
        )
        try:
            await stub.PlaceBid(request, metadata=metadata[number * 7 % len(metadata)])
        except grpc.aio.AioRpcError as error:
            # Two client processes share an auction, so some bids come too late; they cost the same.
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            return False
        return True

    return bid


async def _closed_loop(call: Callable[[], Awaitable[bool]], load: Load) -> Outcome:
    outcome = Outcome(0, 0, 0.0, [])
    started_s = time.perf_counter()

    async def caller() -> None:
        while time.perf_counter() - started_s < load.seconds:
            outcome.refused += not await call()
            outcome.calls += 1

    await asyncio.gather(*(caller() for _ in range(load.waiting)))
    outcome.seconds = time.perf_counter() - started_s
    return outcome


async def _open_loop(call: Callable[[], Awaitable[bool]], load: Load) -> Outcome:
    """Start calls at exponential intervals; a call's latency counts from when it was due."""
    outcome = Outcome(0, 0, 0.0, [])
    rate_per_s = load.rate_per_s or 1.0
    intervals = random.Random(1)
    started_s = due_s = time.perf_counter()

    async def measure(due_s: float) -> None:
        outcome.refused += not await call()
        outcome.calls += 1
        outcome.latencies_ms.append((time.perf_counter() - due_s) * 1_000)

    async with asyncio.TaskGroup() as calls:
        while due_s - started_s < load.seconds:
            due_s += intervals.expovariate(rate_per_s)
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            calls.create_task(measure(due_s))
    outcome.seconds = time.perf_counter() - started_s
    return outcome


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(run(Load(**json.load(sys.stdin)))))))
