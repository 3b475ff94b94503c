"""Keeps one part alive: prepares, starts, awaits readiness, and starts again when it dies."""

import asyncio
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

from stack.part import Part, PartFailed, await_ready, describe_exit
from stack.process import Process

_BACK_OFF_FIRST_S = 0.1
_BACK_OFF_MAX_S = 5.0
_STABLE_AFTER_S = 10.0
_PAUSE_AFTER_QUICK_DEATH_S = 1.0
_LOG_TAIL_BYTES = 4_096


class PartState(StrEnum):
    """Where a part is on its way."""

    WAITING = "waiting"
    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"


def back_off_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row, in seconds."""
    return min(_BACK_OFF_FIRST_S * 2.0 ** (failures - 1), _BACK_OFF_MAX_S)


class Keeper:
    """Looks after one part.

    `last_words` says what went wrong last, in one line, for the person at the terminal.
    """

    def __init__(
        self,
        part: Part,
        *,
        needs: Sequence["Keeper"],
        log_path: Path,
        on_change: Callable[["Keeper"], None],
    ) -> None:
        self.part = part
        self.needs = tuple(needs)
        self.log_path = log_path
        self.ready = asyncio.Event()
        self.state = PartState.WAITING
        self.restarts = 0
        self.ready_after_s = 0.0
        self.last_words = ""
        self._on_change = on_change
        self._process: Process | None = None
        self._prepared = False

    @property
    def pid(self) -> int | None:
        """The id of the running process, if there is one."""
        process = self._process
        return None if process is None or process.exit_code is not None else process.pid

    async def keep(self) -> None:
        """Keep the part alive until cancelled; raise PartFailed when it cannot be brought up."""
        failures = 0
        while True:
            for need in self.needs:
                await need.ready.wait()
            began_s = time.monotonic()
            try:
                process = await self._bring_up()
            except PartFailed as failure:
                await self._clear_away()
                failures += 1
                self.last_words = f"{failure}{self._log_tail()}"
                if failures >= self.part.attempts_max:
                    raise PartFailed(self._verdict(failures)) from failure
                self._enter(PartState.RESTARTING)
                await asyncio.sleep(back_off_s(failures))
                continue
            self.ready_after_s = time.monotonic() - began_s
            self.ready.set()
            self._enter(PartState.READY)
            await self._outlive(process)
            failures = 0

    async def stop(self) -> None:
        """Stop the part in its own way, by force after its grace."""
        self.ready.clear()
        if self._process is not None:
            self._enter(PartState.STOPPING)
            await self._process.stop()
        self._enter(PartState.STOPPED)

    def kill(self) -> None:
        """End the part at once."""
        if self._process is not None:
            self._process.kill()

    async def _bring_up(self) -> Process | None:
        if not self._prepared:
            self._enter(PartState.PREPARING)
            await self.part.prepare()
            self._prepared = True
        command = self.part.command()
        if command is not None:
            self._process = Process.start(command, log_path=self.log_path)
        self._enter(PartState.STARTING)
        await await_ready(self.part, self._process)
        return self._process

    async def _outlive(self, process: Process | None) -> None:
        """Wait for the end of a part that was ready, and account for it."""
        if process is None:
            await asyncio.Event().wait()
            return
        ready_at_s = time.monotonic()
        code = await process.wait()
        self.ready.clear()
        self.restarts += 1
        self.last_words = f"{self.part.name} ended with {describe_exit(code)}.{self._log_tail()}"
        await self._clear_away()
        self._enter(PartState.RESTARTING)
        lived_s = time.monotonic() - ready_at_s
        await asyncio.sleep(
            _BACK_OFF_FIRST_S if lived_s > _STABLE_AFTER_S else _PAUSE_AFTER_QUICK_DEATH_S
        )

    async def _clear_away(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
        self._process = None

    def _enter(self, state: PartState) -> None:
        self.state = state
        self._on_change(self)

    def _verdict(self, failures: int) -> str:
        times = "once" if failures == 1 else f"{failures} times"
        return f"{self.part.name} was tried {times}: {self.last_words} (log: {self.log_path})"

    def _log_tail(self) -> str:
        """Return the last line of the log, which mostly says why."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(0, 2)
                log.seek(max(0, log.tell() - _LOG_TAIL_BYTES))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f" Its last line: {last}" if last else ""
