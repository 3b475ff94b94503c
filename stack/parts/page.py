"""The server of the built page, a small process behind Envoy."""

import sys
from pathlib import Path

from stack.layout import PROJECT_ROOT, python_path
from stack.part import Part, PartFailed, probe_http
from stack.ports import LOOPBACK
from stack.process import Command


class Page(Part):
    """Serves the files that `edge/web` was built to."""

    name = "web"

    def __init__(self, *, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self.address = f"{LOOPBACK}:{port}"

    async def prepare(self) -> None:
        """Refuse to serve a page that was not built."""
        if not (self._folder / "index.html").is_file():
            raise PartFailed(f"The page is not built: {self._folder} has no index.html.")

    def command(self) -> Command:
        """Run the server."""
        return Command(
            argv=(
                *(sys.executable, "-m", "stack.page_server"),
                *("--port", str(self._port), "--folder", str(self._folder)),
            ),
            environment={"PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1"},
            directory=PROJECT_ROOT,
        )

    async def probe(self) -> None:
        """Be ready when the page comes."""
        await probe_http(f"http://{self.address}/")
