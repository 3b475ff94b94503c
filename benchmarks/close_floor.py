"""What ``benchmarks.close`` runs on: the servers, replicas of svc_auction, auctions, what they did.

The replicas are the real service as real processes: timekeepers, relays and all. There is no
wallet: what winners owe is noted and waits, as it does while the wallet is away.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from benchmarks.bid_engine import NoRelay
from blytz.events.v1.event_pb2 import Event
from kernel.errors import BlytzError
from kernel.ids import new_id
from servicekit.migrations import upgrade
from servicekit.postgres import Database
from stack.certificates import ensure_certificates
from stack.part import running
from stack.parts.kafka import Kafka
from stack.parts.postgres import Postgres
from stack.parts.redis import Redis
from stack.parts.service import Service
from stack.ports import LOOPBACK, PortReservations
from stack.process import Process
from stack.secret import Secret
from svc_auction.domain.bidding import Bid
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.bid_lane import BidLane
from svc_auction.infrastructure.shards import Shard

CURRENCY = "USD"
BIDDERS = 500
WATCHERS_EACH = 3
MAXIMUM_MINOR = 1_000

Due = Literal["close", "start"]
EVENT_TYPES: dict[Due, str] = {"close": "auction.end", "start": "auction.started"}

_INSERT_AUCTIONS = """
insert into auctions (auction_id, seller_id, seller_name, request_id, body_hash, title, description,
                      image_url, currency_code, opening_minor, prices_from_minor, steps_minor,
                      funding, created_at)
select id, gen_random_uuid(), 'Seller', gen_random_uuid(), '', 'Lot', '', '', %s, 100,
       '{0}', '{1}', 1, now()
from unnest(%s::uuid[]) as id
"""
_INSERT_BOOKS = """
insert into books (auction_id, state, sequence, price_minor, starts_at, ends_at, announced_end_at)
select id, %s, 2, 100, now() + interval '1 hour', now() + interval '1 day',
       now() + interval '1 day'
from unnest(%s::uuid[]) as id
"""
_INSERT_POWER = """
insert into bidding_power (bidder_id, currency_code, allotted_minor)
select id, %s, 1000000000000 from unnest(%s::uuid[]) as id
"""
_INSERT_WATCHES = """
insert into watches (user_id, auction_id)
select gen_random_uuid(), id from unnest(%s::uuid[]) as id, generate_series(1, %s)
"""
_PLAN_ENDS = """
update books as b set ends_at = d.due_at, ending_soon_at = d.due_at - interval '5 seconds'
from unnest(%s::uuid[], %s::timestamptz[]) as d (auction_id, due_at)
where b.auction_id = d.auction_id
"""
_PLAN_STARTS = """
update books as b set starts_at = d.due_at
from unnest(%s::uuid[], %s::timestamptz[]) as d (auction_id, due_at)
where b.auction_id = d.auction_id
"""
_SELECT_EVENTS = """
select payload, sent_at from outbox where partition_key = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of planned changes: how late each was decided and was in Kafka, in ms.

    ``wrong`` counts auctions that did not change exactly once.
    """

    decided_ms: list[float]
    published_ms: list[float]
    wrong: int


class CloseFloor:
    """A durable Postgres with the schema, a broker, and replicas of svc_auction on them."""

    def __init__(self, folder: Path, ports: PortReservations, postgres: Postgres) -> None:
        self._folder = folder
        self._ports = ports
        self._postgres = postgres
        self._environment: dict[str, str] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator["CloseFloor"]:
        """Start the servers; stop them when the context ends."""
        async with AsyncExitStack() as stack:
            ports = stack.enter_context(PortReservations())
            secret = Secret.load(folder / "secret")
            postgres = Postgres(folder=folder / "postgres", port=ports.take(), secret=secret)
            kafka = Kafka(port=ports.take())
            redis = Redis(folder=folder / "redis", port=ports.take(), secret=secret)
            for part in (postgres, kafka, redis):
                await stack.enter_async_context(running(part, log_folder=folder))
            ensure_certificates(folder / "tls")
            floor = cls(folder, ports, postgres)
            nobody = f"{LOOPBACK}:{ports.take()}"
            floor._environment = {
                "BLYTZ_ENVIRONMENT": "development",
                "BLYTZ_LOG_LEVEL": "warning",
                "BLYTZ_KAFKA_BOOTSTRAP": kafka.bootstrap,
                "BLYTZ_REDIS_URL": redis.url,
                "BLYTZ_TLS_DIR": str(folder / "tls" / "auction"),
                "BLYTZ_IDENTITY_ADDRESS": nobody,
                "BLYTZ_PAYMENT_ADDRESS": nobody,
            }
            yield floor

    async def fresh_database(self) -> str:
        """Return the address of a new database with the schema."""
        url = await asyncio.to_thread(self._postgres.create_database, "auction")
        await asyncio.to_thread(upgrade, url, "svc_auction.infrastructure.migrations")
        return url

    @asynccontextmanager
    async def replicas(self, url: str, count: int) -> AsyncIterator[list[Process]]:
        """Serve svc_auction on a database from several processes."""
        async with AsyncExitStack() as stack:
            processes = []
            for number in range(count):
                service = Service(
                    name=f"auction-{number}",
                    module="svc_auction",
                    grpc_port=self._ports.take(),
                    admin_port=self._ports.take(),
                    environment={**self._environment, "BLYTZ_POSTGRES_URL": url},
                    needs=(),
                    migrates=False,
                    log_folder=self._folder,
                    stamp_path=None,
                )
                process = await stack.enter_async_context(running(service, log_folder=self._folder))
                processes += [process] if process is not None else []
            yield processes


async def fill(shard: Shard, due: Due, count: int) -> tuple[list[str], list[str]]:
    """Write auctions that are live, or announced, for long; return their ids and the bidders'."""
    auction_ids = [new_id() for _ in range(count)]
    bidder_ids = [new_id() for _ in range(BIDDERS)]
    async with shard.transaction() as connection:
        await connection.execute(_INSERT_AUCTIONS, (CURRENCY, auction_ids))
        await connection.execute(_INSERT_BOOKS, (3 if due == "close" else 2, auction_ids))
        await connection.execute(_INSERT_POWER, (CURRENCY, bidder_ids))
        await connection.execute(_INSERT_WATCHES, (auction_ids[::2], WATCHERS_EACH))
    async with shard.statements() as connection:
        await connection.execute("analyze")
    return auction_ids, bidder_ids


async def bid_on_each(lane: BidLane, auction_ids: Sequence[str], bidder_ids: Sequence[str]) -> None:
    """Place one bid, with its hold, on each auction, a thousand at once."""
    for first in range(0, len(auction_ids), 1_000):
        await asyncio.gather(
            *(
                lane.place(_bid(auction_id, random.choice(bidder_ids), MAXIMUM_MINOR))
                for auction_id in auction_ids[first : first + 1_000]
            )
        )


async def keep_bidding(
    lane: BidLane, auction_ids: Sequence[str], bidder_ids: Sequence[str], *, per_s: float
) -> None:
    """Start bids at random moments, whatever becomes of them, until cancelled."""
    draw = random.Random(1)
    maximum_minor = MAXIMUM_MINOR

    async def place(bid: Bid) -> None:
        try:
            await lane.place(bid)
        except BlytzError as refusal:
            if refusal.reason not in {"BID_TOO_LOW", "MAXIMUM_NOT_RAISED"}:
                raise

    async with asyncio.TaskGroup() as bids:
        while True:
            await asyncio.sleep(draw.expovariate(per_s))
            maximum_minor += 1
            auction_id, bidder_id = draw.choice(auction_ids), draw.choice(bidder_ids)
            bids.create_task(place(_bid(auction_id, bidder_id, maximum_minor)))


def _bid(auction_id: str, bidder_id: str, maximum_minor: int) -> Bid:
    return Bid(new_id(), auction_id, bidder_id, CURRENCY, maximum_minor)


async def plan(
    shard: Shard, due: Due, auction_ids: Sequence[str], *, after_s: float, seconds: float
) -> dict[str, datetime]:
    """Spread the ends or starts of auctions over some seconds; return when each is due."""
    draw = random.Random(2)
    async with shard.transaction() as connection:
        found = await connection.execute("select clock_timestamp()")
        row = await found.fetchone()
        assert row is not None
        first_at = row[0] + timedelta(seconds=after_s)
        planned = {i: first_at + timedelta(seconds=draw.uniform(0, seconds)) for i in auction_ids}
        query = _PLAN_ENDS if due == "close" else _PLAN_STARTS
        await connection.execute(query, (list(planned), list(planned.values())))
    return planned


async def happened(shard: Shard, due: Due, planned: dict[str, datetime]) -> Happened:
    """Read from the outbox what became of a plan."""
    async with shard.transaction() as connection:
        found = await connection.execute(_SELECT_EVENTS, (list(planned),))
        rows = await found.fetchall()
    times: Counter[str] = Counter()
    late_ms: dict[str, list[float]] = defaultdict(list)
    for payload, sent_at in rows:
        event = Event.FromString(payload)
        if event.type != EVENT_TYPES[due]:
            continue
        due_at = planned[event.aggregate_id]
        times[event.aggregate_id] += 1
        decided_at = event.occurred_at.ToDatetime(due_at.tzinfo)
        late_ms["decided"].append((decided_at - due_at) / timedelta(milliseconds=1))
        if sent_at is not None:
            late_ms["published"].append((sent_at - due_at) / timedelta(milliseconds=1))
    wrong = sum(times[auction_id] != 1 for auction_id in planned)
    return Happened(late_ms["decided"], late_ms["published"], wrong)


@asynccontextmanager
async def shard_at(url: str) -> AsyncIterator[Shard]:
    """Open a database as shard 0; its outbox is the replicas' business."""
    async with Database.open(url, application_name="benchmark") as database:
        yield Shard(0, database, NoRelay())  # type: ignore[arg-type]  # nothing is sent here


def lane_on(shard: Shard) -> BidLane:
    """Return a lane on the shard, as a further replica would have."""
    return BidLane(shard=shard, aliases=Aliases("benchmark"))
