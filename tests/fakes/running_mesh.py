"""The whole mesh for tests: a process of its own that dies with the one that tests."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.layout import Layout, python_path
from stack.process import Command, Process
from stack.state import read_state

_READY_WITHIN_S = 120.0
_POLL_S = 0.05


@dataclass(frozen=True)
class RunningMesh:
    """A mesh that is up; `state` asks anew each time."""

    layout: Layout
    process: Process

    @classmethod
    @contextmanager
    def started(cls, folder: Path, *options: str, **environment: str) -> Iterator["RunningMesh"]:
        """Start a mesh in the folder and stop it after the block."""
        layout = Layout.at(folder / "data")
        log_path = folder / "stack.log"
        command = Command(
            argv=(
                *(sys.executable, "-m", "stack", "up", "--quiet", "--port", "0"),
                *("--data-dir", str(layout.root), *options),
            ),
            environment={"PYTHONPATH": python_path(), **environment},
            # It stops its parts when we die; they die with it in any case.
            death_signal=signal.SIGTERM,
            grace_s=60.0,
        )
        process = Process.start(command, log_path=log_path)
        mesh = cls(layout=layout, process=process)
        try:
            mesh.await_ready()
            yield mesh
        except BaseException:
            sys.stderr.write(log_path.read_text())
            raise
        finally:
            asyncio.run(process.stop())

    @property
    def state(self) -> dict[str, Any]:
        """What `run/state.json` says now."""
        return read_state(self.layout)

    @property
    def edge_url(self) -> str:
        """Where the page, gRPC and JSON are."""
        url: str = self.state["edge_url"]
        return url

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return self.layout.root

    def tls(self, workload: str) -> Path:
        """The folder with a workload's `ca.pem`, `cert.pem` and `key.pem`."""
        return self.layout.tls / workload

    def pid_of(self, part: str) -> int:
        """The process of a part."""
        pid: int = self.state["parts"][part]["pid"]
        return pid

    def kill(self, part: str) -> None:
        """Kill a part as a crash would; it comes back by itself."""
        os.kill(self.pid_of(part), signal.SIGKILL)

    def await_ready(self, *, within_s: float = _READY_WITHIN_S) -> None:
        """Return when every part is ready; raise AssertionError when the mesh ends or is late."""
        give_up_at_s = time.monotonic() + within_s
        while not self.state["ready"]:
            assert self.process.exit_code is None, "The mesh has ended."
            assert time.monotonic() < give_up_at_s, f"The mesh is not ready within {within_s} s."
            time.sleep(_POLL_S)

    def await_restart(self, part: str, *, restarts: int, within_s: float = 30.0) -> None:
        """Return when a part has come up again so often, and the whole mesh with it."""
        give_up_at_s = time.monotonic() + within_s
        while self.state["parts"][part]["restarts"] < restarts or not self.state["ready"]:
            assert time.monotonic() < give_up_at_s, f"{part} is not back within {within_s} s."
            time.sleep(_POLL_S)
