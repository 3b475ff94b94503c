"""What every part of the mesh offers to the one who starts it."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import aiohttp

from stack.process import Command, Process

_PROBE_INTERVAL_S = 0.05
_PROBE_TIMEOUT_S = 2.0


class NotReady(Exception):
    """The part runs but cannot serve yet."""


class PartFailed(Exception):
    """A part could not be brought up; the message is one line for the person at the terminal."""


class Part(ABC):
    """A process of the mesh: what must be there before it, how it starts, when it is ready.

    `needs` names the parts that must be ready first.  `address` is what others dial.
    After `attempts_max` starts in a row without readiness the part counts as broken.
    """

    name: str
    address: str
    needs: tuple[str, ...] = ()
    ready_within_s: ClassVar[float] = 60.0
    attempts_max: ClassVar[int] = 5

    async def prepare(self) -> None:  # noqa: B027  (a hook; most have nothing to do)
        """Do what must be done once before the first start."""

    @abstractmethod
    def command(self) -> Command | None:
        """Return what to run; None for a part that runs somewhere else."""

    @abstractmethod
    async def probe(self) -> None:
        """Raise NotReady until the part can serve."""

    async def settle(self) -> None:  # noqa: B027  (as prepare)
        """Do what must be done each time the part has come up."""


async def probe_tcp(host: str, port: int) -> None:
    """Raise NotReady unless somebody accepts connections there."""
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        raise NotReady(f"{host}:{port} does not answer: {error}") from error


async def probe_http(url: str) -> None:
    """Raise NotReady unless the address answers 200."""
    timeout = aiohttp.ClientTimeout(total=_PROBE_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            if response.status != 200:  # noqa: PLR2004  (OK)
                raise NotReady(f"{url} answered {response.status}.")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise NotReady(f"{url} does not answer: {error}") from error


async def await_ready(part: Part, process: Process | None) -> None:
    """Probes until the part is ready; raises PartFailed when it ends or takes too long."""
    give_up_at_s = time.monotonic() + part.ready_within_s
    while True:
        try:
            await part.probe()
            await part.settle()
        except NotReady as reason:
            if process is not None and (code := process.exit_code) is not None:
                raise PartFailed(f"{part.name} ended with {describe_exit(code)}.") from reason
            if time.monotonic() > give_up_at_s:
                waited = f"{part.ready_within_s:.0f} s"
                raise PartFailed(f"{part.name} is not ready after {waited}: {reason}") from reason
        else:
            return
        await asyncio.sleep(_PROBE_INTERVAL_S)


def describe_exit(code: int) -> str:
    """Put an exit code in words: `exit code 3` or `signal 9`."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


@asynccontextmanager
async def running(part: Part, *, log_folder: Path) -> AsyncIterator[Process | None]:
    """Run one part for as long as the block lasts, without supervision."""
    await part.prepare()
    command = part.command()
    log_path = log_folder / f"{part.name}.log"
    process = None if command is None else Process.start(command, log_path=log_path)
    try:
        await await_ready(part, process)
        yield process
    finally:
        if process is not None:
            await process.stop()
