"""A child process that dies with us: started through `stack.launch`, waited for, stopped."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_LAUNCH_SCRIPT = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to run and how it wants to be ended.

    `death_signal` is what the kernel sends when the supervisor itself dies, even by kill -9.
    `grace_s` is how long the program may take after `stop_signal` before it is killed.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    user: str = ""
    reach_private_folders: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace_s: float = 15.0

    def launch_argv(self) -> list[str]:
        """Return the command line that goes through the launcher."""
        options = ["--parent-pid", str(os.getpid()), "--death-signal", str(int(self.death_signal))]
        if self.user:
            options += ["--user", self.user]
        if self.reach_private_folders:
            options += ["--reach-private-folders"]
        # -I and -S: the launcher needs no site packages and starts in a few milliseconds.
        return [sys.executable, "-I", "-S", str(_LAUNCH_SCRIPT), *options, "--", *self.argv]


class Process:
    """A running child, in a session of its own so that Ctrl-C in a terminal reaches only us."""

    def __init__(self, *, popen: subprocess.Popen[bytes], command: Command) -> None:
        self._popen = popen
        self._command = command

    @classmethod
    def start(cls, command: Command, *, log_path: Path) -> Self:
        """Start the command; what it prints is appended to the log."""
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("ab") as log:
            popen = subprocess.Popen(
                command.launch_argv(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=command.directory,
                env={**os.environ, **command.environment},
                start_new_session=True,
            )
        return cls(popen=popen, command=command)

    @property
    def pid(self) -> int:
        """The id of the process; the launcher becomes the program, so it stays the same."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        return self._popen.poll()

    async def wait(self) -> int:
        """Wait for the end without a thread; several may wait at once."""
        if (code := self._popen.poll()) is not None:
            return code
        await wait_for_exit(self.pid)
        return self._popen.wait()

    async def stop(self) -> int:
        """Ask the process to stop, kill it after its grace, and clear away what it left."""
        if self._popen.poll() is None:
            self._popen.send_signal(self._command.stop_signal)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._command.grace_s):
                    await self.wait()
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """Kill the process and everything in its group, at once."""
        if self._popen.poll() is None:
            self._popen.kill()
        # The group outlives its leader while a grandchild is in it.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


async def wait_for_exit(pid: int) -> None:
    """Wait until a process has ended, one of ours or not; return at once when there is none."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    try:
        loop.add_reader(descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(descriptor)
    finally:
        os.close(descriptor)


async def run_once(command: Command, *, log_path: Path) -> int:
    """Run a command to its end and return its exit code; it is killed when we are cancelled."""
    process = Process.start(command, log_path=log_path)
    try:
        return await process.wait()
    finally:
        process.kill()
        await process.wait()
