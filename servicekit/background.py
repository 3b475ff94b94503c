"""Loops that run beside the server: restarted after a crash, cancelled at the stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

Loop = Callable[[], Awaitable[None]]

RESTART_AFTER_S_MIN = 0.1
RESTART_AFTER_S_MAX = 5.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(loops: Sequence[Loop]) -> AsyncIterator[None]:
    """Run the loops while the context is open."""
    stopping = asyncio.Event()
    tasks = [asyncio.create_task(_supervise(loop, stopping), name=_name(loop)) for loop in loops]
    try:
        yield
    finally:
        stopping.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _supervise(loop: Loop, stopping: asyncio.Event) -> None:
    restart_after_s = RESTART_AFTER_S_MIN
    clock = asyncio.get_running_loop().time
    # A loop may answer its cancellation with another fault, and must not be started again for that.
    while not stopping.is_set():
        started_s = clock()
        try:
            await loop()
        except Exception as fault:  # noqa: BLE001 - whatever ended it, it is started again
            log.warning("loop_crashed", loop=_name(loop), error=repr(fault))
        if clock() - started_s > RESTART_AFTER_S_MAX:
            restart_after_s = RESTART_AFTER_S_MIN
        if not stopping.is_set():
            await asyncio.sleep(restart_after_s)
        restart_after_s = min(restart_after_s * 2, RESTART_AFTER_S_MAX)


def _name(loop: Loop) -> str:
    return getattr(loop, "__qualname__", repr(loop))
