"""What all readers share in Redis for a second: pictures of auctions, and pages of lists.

A picture carries its position, and an older one never takes a newer one's place: whoever stores
compares within Redis. A change that was announced leaves a floor there for some seconds, so that a
slow reader, or one at a replica that lags, can no longer store what was before it. Positions are
kept as digits of fixed width, which compare as text.
"""

import asyncio
import contextvars
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prometheus_client import Counter
from redis.asyncio import Redis

from servicekit.redis import connect
from svc_auction.application.ports import Position
from svc_auction.infrastructure.announcements import Announcements, count_dropped
from svc_auction.infrastructure.optional_redis import OptionalRedis

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

PICTURE_TTL_MS = 1_000
FLOOR_TTL_MS = 5_000
ANNOUNCE_EVERY_S = 0.05
ANNOUNCED_AT_ONCE_MAX = 500
LOAD_S_MAX = 2.0
LOADS_MAX = 2
"""How often a picture is read if something newer becomes known meanwhile."""
_JITTER = 0.2
_EPOCH_DIGITS, _SEQUENCE_DIGITS = 10, 19
_POSITION_DIGITS = _EPOCH_DIGITS + _SEQUENCE_DIGITS

Loaded = TypeVar("Loaded")

_reads = Counter("blytz_auction_cached_reads_total", "Public reads, by where they ended.", ["end"])
_hits, _misses = _reads.labels("redis"), _reads.labels("postgres")


@dataclass(frozen=True, slots=True)
class Picture:
    """An auction as anyone may see it: a serialized ``blytz.auction.v1.Auction``.

    One that is not ``cacheable`` is shown and not kept.
    """

    position: Position
    message: bytes
    cacheable: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list as bytes, the key that it is kept under, and for how long."""

    key: str
    content: bytes
    ttl_ms: int


class ReadCache:
    """The cache; without Redis every read goes to its source, once at a time in this process."""

    def __init__(self, client: Redis | None) -> None:
        self._redis = OptionalRedis(client)
        self._fill: AsyncScript | None = None
        self._announce: AsyncScript | None = None
        if client is not None:
            self._fill = client.register_script(_script("fill_picture.lua"))
            self._announce = client.register_script(_script("announce_changes.lua"))
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def close(self) -> None:
        """Cancel the loads under way."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def picture(
        self, auction_id: str, load: Callable[[Position | None], Awaitable[Picture]]
    ) -> Picture:
        """Return the kept picture, or load one; ``load`` is told the floor, None if unknown."""

        async def look_up() -> Picture:
            for _attempt in range(LOADS_MAX):
                kept, floor = await self._kept(auction_id)
                if kept is not None:
                    _hits.inc()
                    return kept
                _misses.inc()
                picture = await load(floor)
                if not picture.cacheable or await self.offer(auction_id, picture):
                    break
                # Something newer became known in the meantime.
            return picture

        return await self._once(f"picture {auction_id}", look_up)

    async def _kept(self, auction_id: str) -> tuple[Picture | None, Position | None]:
        """Return the picture that is kept and the floor, as far as there are any."""
        found = await self._redis.ask(lambda redis: redis.mget(_keys(auction_id)))
        kept, floor = cast("list[bytes | None]", found or (None, None))
        return (
            None
            if kept is None
            else Picture(_position(kept[:_POSITION_DIGITS]), kept[_POSITION_DIGITS:]),
            None if floor is None else _position(floor),
        )

    async def offer(self, auction_id: str, picture: Picture) -> bool:
        """Keep a picture; False if a newer one is kept or known of."""
        fill = self._fill
        if fill is None:
            return True
        arguments = (_digits(picture.position), picture.message, _jittered(PICTURE_TTL_MS))
        kept: int | None = await self._redis.ask(lambda _: fill(_keys(auction_id), arguments))
        return kept != 0

    async def page(self, key: str, load: Callable[[], Awaitable[Page]]) -> bytes:
        """Return the content that is kept under a key, or load it.

        The page that is loaded is kept under its own key, in case it is of a later position.
        """

        async def look_up() -> bytes:
            kept = await self._redis.ask(lambda redis: redis.get(_page_key(key)))
            if kept is not None:
                _hits.inc()
                return cast("bytes", kept)
            _misses.inc()
            page = await load()
            ttl_ms, own_key = _jittered(page.ttl_ms), _page_key(page.key)
            await self._redis.ask(lambda redis: redis.set(own_key, page.content, px=ttl_ms))
            return page.content

        return await self._once(f"page {key}", look_up)

    async def announce(self, changed: Mapping[str, Position]) -> None:
        """Drop what is older than the given positions, and let nobody store it again for a while.

        While Redis is away this does nothing: what is kept there ends within a second.
        """
        announce = self._announce
        if announce is None:
            return
        keys = [key for auction_id in changed for key in _keys(auction_id)]
        arguments: list[str | int] = [FLOOR_TTL_MS, *map(_digits, changed.values())]
        # One call for all: a command for each would cost five times as much.
        if await self._redis.ask(lambda _: announce(keys, arguments)) is None:
            count_dropped(len(changed))

    async def _once(self, name: str, look_up: Callable[[], Awaitable[Loaded]]) -> Loaded:
        """Look something up, one at a time: who asks meanwhile waits for the same answer."""
        running = self._running.get(name)
        if running is None:
            running = asyncio.get_running_loop().create_task(
                _within(LOAD_S_MAX, look_up),
                name=name,
                # It serves everyone who waits: it must not run on one caller's deadline or trace.
                context=contextvars.Context(),
            )
            self._running[name] = running
            running.add_done_callback(lambda ended: self._forget(name, ended))
        loaded: Loaded = await asyncio.shield(running)
        return loaded

    def _forget(self, name: str, ended: asyncio.Task[Any]) -> None:
        del self._running[name]
        if not ended.cancelled():
            # Looked at, in case everyone who waited has gone.
            ended.exception()


@asynccontextmanager
async def open_read_cache(redis_url: str) -> AsyncIterator[ReadCache]:
    """Open the cache; an empty address is one of a Redis that is never there."""
    client = connect(redis_url) if redis_url else None
    cache = ReadCache(client)
    try:
        yield cache
    finally:
        await cache.close()
        if client is not None:
            await client.aclose()


class AnnouncementLoop:
    """Tells readers what has changed on the shards, many changes at a time."""

    def __init__(self, *, sources: Iterable[Announcements], cache: ReadCache) -> None:
        self._sources = list(sources)
        self._cache = cache

    async def run(self) -> None:
        """Announce for as long as the service runs."""
        while True:
            await asyncio.sleep(ANNOUNCE_EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Announce what was noted by now."""
        for source in self._sources:
            changed = list(source.take().items())
            for start in range(0, len(changed), ANNOUNCED_AT_ONCE_MAX):
                await self._cache.announce(dict(changed[start : start + ANNOUNCED_AT_ONCE_MAX]))


async def _within(seconds: float, look_up: Callable[[], Awaitable[Loaded]]) -> Loaded:
    async with asyncio.timeout(seconds):
        return await look_up()


def _script(name: str) -> str:
    return resources.files("svc_auction.infrastructure").joinpath(name).read_text()


def _keys(auction_id: str) -> list[str]:
    """Return the keys of a picture and of its floor."""
    return [f"auction:picture:{auction_id}", f"auction:floor:{auction_id}"]


def _page_key(key: str) -> str:
    return f"auction:page:{key}"


def _digits(position: Position) -> str:
    epoch, sequence = position
    return f"{epoch:0{_EPOCH_DIGITS}d}{sequence:0{_SEQUENCE_DIGITS}d}"


def _position(digits: bytes) -> Position:
    return int(digits[:_EPOCH_DIGITS]), int(digits[_EPOCH_DIGITS:])


def _jittered(ttl_ms: int) -> int:
    """Return about as long: what was stored together need not end together."""
    return int(ttl_ms * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - no secret
