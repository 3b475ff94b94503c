"""A part whose program is a line of Python: for tests of those who look after parts."""

import signal
import sys
from pathlib import Path

from stack.part import NotReady, Part
from stack.process import Command

SERVE_FOREVER = "import pathlib, time; pathlib.Path(r'{ready}').touch(); time.sleep(600)"


class SmallPart(Part):
    """Ready when its program has touched a file of the folder.

    In the program `{ready}` stands for that file. `starts` counts how often it was started.
    """

    def __init__(
        self,
        *,
        name: str,
        folder: Path,
        program: str = SERVE_FOREVER,
        needs: tuple[str, ...] = (),
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_s: float = 5.0,
    ) -> None:
        self.name = name
        self.needs = needs
        self.address = f"{name}:0"
        self.starts = 0
        self.prepared = 0
        self._ready_path = folder / f"{name}.ready"
        self._program = program.replace("{ready}", str(self._ready_path))
        self._stop_signal = stop_signal
        self._grace_s = grace_s

    async def prepare(self) -> None:
        self.prepared += 1

    def command(self) -> Command:
        self.starts += 1
        self._ready_path.unlink(missing_ok=True)
        return Command(
            argv=(sys.executable, "-I", "-S", "-c", self._program),
            stop_signal=self._stop_signal,
            grace_s=self._grace_s,
        )

    async def probe(self) -> None:
        if not self._ready_path.exists():
            raise NotReady("The file is not there.")
