"""A service as its own process: run to its end, or served until the block ends."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_S_MAX = 60.0
STOP_S_MAX = 30.0


def environ_of(settings: Mapping[str, str]) -> dict[str, str]:
    """Return a process's environment with these settings, ``grpc_address`` for its variable."""
    paths = [ROOT, ROOT / "gen/python", ROOT / "tests"]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        **{f"BLYTZ_{name.upper()}": value for name, value in settings.items()},
    }


def run_role(
    module: str, arguments: Sequence[str], settings: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environ_of(settings),
        capture_output=True,
        text=True,
        timeout=START_S_MAX,
        check=False,
    )


@dataclass(frozen=True)
class ServiceProcess:
    """A running process, what it logs, and its admin port."""

    popen: subprocess.Popen[bytes]
    log_path: Path
    admin_address: str

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]

    async def readiness(self, admin_address: str = "") -> int:
        """Return the status of ``/readyz``; 0 while nobody answers."""
        address = admin_address or self.admin_address
        return await asyncio.to_thread(_readiness, address)

    async def until_ready(self, admin_address: str = "") -> None:
        for _ in range(int(START_S_MAX / 0.05)):
            assert self.popen.poll() is None, self.log
            if await self.readiness(admin_address) == 200:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(self.log)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for a process that was told to stop before; return its exit code.

        A second signal may meet it when it has just stopped listening for signals.
        """
        return await asyncio.to_thread(self.popen.wait, STOP_S_MAX)


def _readiness(address: str) -> int:
    connection = HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def _launch(
    module: str, arguments: Sequence[str], settings: Mapping[str, str], log_path: Path
) -> subprocess.Popen[bytes]:
    with log_path.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=environ_of(settings),
            stdout=log,
            stderr=subprocess.STDOUT,
        )


@asynccontextmanager
async def started(
    module: str, arguments: Sequence[str], settings: Mapping[str, str], log_path: Path
) -> AsyncIterator[ServiceProcess]:
    """Start a process; whatever the test does, it is gone afterwards."""
    popen = await asyncio.to_thread(_launch, module, arguments, settings, log_path)
    process = ServiceProcess(popen, log_path, settings["admin_address"])
    try:
        yield process
    finally:
        if popen.poll() is None:
            popen.terminate()
            try:
                await asyncio.to_thread(popen.wait, STOP_S_MAX)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()
                raise
