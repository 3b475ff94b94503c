"""Waits for something that happens elsewhere, in another process or on another server."""

import asyncio
import time
from collections.abc import Callable


async def eventually(check: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Return when the check holds; raise AssertionError when it does not in time."""
    give_up_at_s = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < give_up_at_s, f"It did not come true within {within_s} s."
        await asyncio.sleep(0.01)
