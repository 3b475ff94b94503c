"""The shards: which Postgres keeps which auctions, and its outbox's relay.

An auction's id carries its shard and nothing ever moves. New auctions go to the shards that are
open for them.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import psycopg

from kernel.errors import DependencyUnavailable
from kernel.ids import SHARD_COUNT, shard_of
from servicekit.events.relay import Relay
from servicekit.postgres import Connection, Database
from servicekit.settings import SettingsError
from svc_auction.domain.errors import AuctionNotFound, ShardUnavailable


class ShardMapError(SettingsError):
    """The texts that name the shards and their databases are malformed."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard: its number (0 to 255), its database and the relay of its outbox."""

    number: int
    database: Database
    relay: Relay

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Yield a connection within a transaction; ``ShardUnavailable`` if the database is away."""
        try:
            async with self.database.transaction() as connection:
                yield connection
        except DependencyUnavailable as error:
            raise ShardUnavailable(retry_after_s=error.retry_after_s) from error

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Connection]:
        """Yield a connection on which each statement is a transaction of its own."""
        try:
            async with self.database.statements() as connection:
                yield connection
        except DependencyUnavailable as error:
            raise ShardUnavailable(retry_after_s=error.retry_after_s) from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """Yield a connection for reads that may lag; ``ShardUnavailable`` if it is away."""
        try:
            async with self.database.read() as connection:
                yield connection
        except (DependencyUnavailable, psycopg.OperationalError) as error:
            raise ShardUnavailable(retry_after_s=0.5) from error


class Shards:
    """All shards of the deployment."""

    def __init__(self, shards: Mapping[int, Shard], *, open_numbers: frozenset[int]) -> None:
        self._shards = shards
        self._open_numbers = open_numbers

    def __iter__(self) -> Iterator[Shard]:
        return iter(self._shards.values())

    async def check(self) -> None:
        """Raise ``ShardUnavailable`` unless some shard answers: one that is away stops no other."""
        away: DependencyUnavailable | None = None
        for shard in self:
            try:
                await shard.database.check()
            except DependencyUnavailable as error:
                away = error
            else:
                return
        raise ShardUnavailable from away

    def of(self, auction_id: str) -> Shard:
        """Return the shard that keeps an auction; ``AuctionNotFound`` if there is no such shard."""
        shard = self._shards.get(shard_of(auction_id))
        if shard is None:
            raise AuctionNotFound
        return shard

    def for_new(self, key: str) -> Shard:
        """Return the open shard for a new auction: by rendezvous hash of ``key``, so evenly."""
        number = max(
            self._open_numbers,
            key=lambda candidate: hashlib.sha256(f"{candidate}|{key}".encode()).digest(),
        )
        return self._shards[number]


def parse_shard_urls(text: str) -> dict[int, str]:
    """Return the databases of ``0=postgresql://…;7=postgresql://…`` by shard number."""
    urls: dict[int, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        number, separator, url = entry.partition("=")
        if not separator or not url or not number.isdecimal() or int(number) >= SHARD_COUNT:
            raise ShardMapError(f"{entry!r} is not <0 to {SHARD_COUNT - 1}>=<url>")
        if int(number) in urls:
            raise ShardMapError(f"shard {number} is named twice")
        urls[int(number)] = url
    return urls


def parse_open_shards(text: str) -> frozenset[int]:
    """Return the numbers of ``0,7``; none for an empty text."""
    numbers = [part.strip() for part in text.split(",") if part.strip()]
    if not all(number.isdecimal() for number in numbers):
        raise ShardMapError(f"open shards {text!r} are not numbers with commas between")
    return frozenset(map(int, numbers))


@asynccontextmanager
async def open_shards(
    urls: Mapping[int, str],
    *,
    open_numbers: frozenset[int],
    kafka_bootstrap: str,
    pool_max: int,
) -> AsyncIterator[Shards]:
    """Open the databases of all shards; ``open_numbers`` take new auctions (none named: all do)."""
    if not urls:
        raise ShardMapError("no shard is named")
    if not open_numbers <= urls.keys():
        raise ShardMapError(f"shard {min(open_numbers - urls.keys())} is open but has no database")
    async with AsyncExitStack() as stack:
        shards: dict[int, Shard] = {}
        for number, url in urls.items():
            database = await stack.enter_async_context(
                Database.open(url, pool_max=pool_max, application_name=f"auction-shard-{number}")
            )
            relay = Relay(
                database=database, kafka_bootstrap=kafka_bootstrap, name=f"auction-{number}"
            )
            shards[number] = Shard(number, database, relay)
        yield Shards(shards, open_numbers=open_numbers or frozenset(shards))
