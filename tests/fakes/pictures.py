"""Pictures of auctions for tests of the cache: they say what position they are of."""

import asyncio
from collections.abc import Awaitable, Callable

from svc_auction.application.ports import Position
from svc_auction.infrastructure.read_cache import Picture


def picture_at(position: Position) -> Picture:
    return Picture(position, f"as of {position}".encode())


def loading(*positions: Position) -> Callable[[Position | None], Awaitable[Picture]]:
    """Return a source that has come further each time it is read; it stays at the last."""
    left = list(positions)

    async def load(_floor: Position | None) -> Picture:
        await asyncio.sleep(0)
        return picture_at(left.pop(0) if len(left) > 1 else left[0])

    return load


async def never(_floor: Position | None) -> Picture:
    raise AssertionError("It was read though it was kept.")
