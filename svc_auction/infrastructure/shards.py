"""The shards: which Postgres keeps which auctions, and its outbox's relay.

An auction's id carries its shard and nothing ever moves. New auctions go to the shards that are
open for them.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

import psycopg

from kernel.ids import SHARD_COUNT, shard_of
from servicekit.events.relay import Relay
from servicekit.postgres import Connection, Database
from servicekit.settings import SettingsError
from svc_auction.domain.errors import AuctionNotFound, ShardUnavailable
from svc_auction.infrastructure.announcements import Announcements
from svc_auction.infrastructure.presence import Presence

Answer = TypeVar("Answer")


class ShardMapError(SettingsError):
    """The texts that name the shards and their databases are malformed."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard: its number (0 to 255), its database, the relay of its outbox, what changed."""

    number: int
    database: Database
    relay: Relay
    presence: Presence = field(default_factory=Presence)
    replica_presence: Presence = field(default_factory=Presence)
    has_replica: bool = False
    announcements: Announcements = field(default_factory=Announcements)

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Yield a connection within a transaction; ``ShardUnavailable`` if the database is away."""
        return self.presence.through(self.database.transaction())

    def statements(self) -> AbstractAsyncContextManager[Connection]:
        """Yield a connection on which each statement is a transaction of its own."""
        return self.presence.through(self.database.statements())

    def read(self) -> AbstractAsyncContextManager[Connection]:
        """Yield a connection for reads that may lag; ``ShardUnavailable`` if it is away."""
        return self.replica_presence.through(self.database.read())

    async def ask(self, question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """Return what the database answers now."""
        async with self.transaction() as connection:
            return await question(connection)

    async def ask_replica(
        self,
        question: Callable[[Connection], Awaitable[Answer]],
        *,
        is_enough: Callable[[Answer], bool] = lambda _: True,
    ) -> Answer:
        """Return what the replica answers, if there is one, it is there, and it knows enough.

        Otherwise the database itself is asked.
        """
        if self.has_replica:
            # What the replica has not heard of yet it does not find.
            with suppress(ShardUnavailable, AuctionNotFound, psycopg.OperationalError):
                async with self.read() as connection:
                    answer = await question(connection)
                if is_enough(answer):
                    return answer
        return await self.ask(question)

    async def check(self) -> None:
        """Raise ``ShardUnavailable`` unless the database answers."""
        async with self.statements() as connection:
            await connection.execute("select 1")


class Shards:
    """All shards of the deployment."""

    def __init__(self, shards: Mapping[int, Shard], *, open_numbers: frozenset[int]) -> None:
        self._shards = shards
        self._open_numbers = open_numbers

    def __iter__(self) -> Iterator[Shard]:
        return iter(self._shards.values())

    async def check(self) -> None:
        """Raise ``ShardUnavailable`` unless some shard answers: one that is away stops no other."""
        checks = [asyncio.create_task(shard.check()) for shard in self]
        try:
            for check in asyncio.as_completed(checks):
                try:
                    await check
                except ShardUnavailable as error:
                    away = error
                else:
                    return
            raise away
        finally:
            for check in checks:
                check.cancel()
            await asyncio.gather(*checks, return_exceptions=True)

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
    replica_urls: Mapping[int, str] = MappingProxyType({}),
) -> AsyncIterator[Shards]:
    """Open the databases of all shards; ``open_numbers`` take new auctions (none named: all do)."""
    if not urls:
        raise ShardMapError("no shard is named")
    if not open_numbers <= urls.keys():
        raise ShardMapError(f"shard {min(open_numbers - urls.keys())} is open but has no database")
    if not replica_urls.keys() <= urls.keys():
        raise ShardMapError(
            f"shard {min(replica_urls.keys() - urls.keys())} has a replica but no database"
        )
    async with AsyncExitStack() as stack:
        shards: dict[int, Shard] = {}
        for number, url in urls.items():
            database = await stack.enter_async_context(
                Database.open(
                    url,
                    replica_url=replica_urls.get(number, ""),
                    pool_max=pool_max,
                    application_name=f"auction-shard-{number}",
                )
            )
            relay = Relay(
                database=database, kafka_bootstrap=kafka_bootstrap, name=f"auction-{number}"
            )
            shards[number] = Shard(number, database, relay, has_replica=number in replica_urls)
        yield Shards(shards, open_numbers=open_numbers or frozenset(shards))
