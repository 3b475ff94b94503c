"""The gateway: Envoy from a wheel, with the generated configuration fitted to this machine."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from stack.gateway import Places, render
from stack.part import Part, probe_http, probe_tcp
from stack.ports import LOOPBACK
from stack.process import Command
from stack.wheels import wheel_file


@dataclass(frozen=True)
class GatewayFiles:
    """The generated configuration and what becomes of it here."""

    template: Path
    rendered: Path


class Envoy(Part):
    """The one door of the mesh."""

    name = "edge"

    def __init__(self, *, files: GatewayFiles, places: Places, needs: tuple[str, ...]) -> None:
        self._files = files
        self._places = places
        self.needs = needs
        self.address = f"{places.listener_host}:{places.listener_port}"
        self.admin_url = f"http://{LOOPBACK}:{places.admin_port}"

    async def prepare(self) -> None:
        """Write the configuration of this machine."""
        await asyncio.to_thread(self._render)

    def command(self) -> Command:
        """Run Envoy; hot restart is off, it would let only one Envoy run on a machine."""
        return Command(
            argv=(
                str(wheel_file("envoy", "_bin", "envoy")),
                *("--config-path", str(self._files.rendered)),
                *("--disable-hot-restart", "--log-level", "warning", "--concurrency", "2"),
            ),
            grace_s=5.0,
        )

    async def probe(self) -> None:
        """Be ready when Envoy says so and the door is open."""
        await probe_http(f"{self.admin_url}/ready")
        await probe_tcp(LOOPBACK, self._places.listener_port)

    def _render(self) -> None:
        self._files.rendered.write_text(render(self._files.template.read_text(), self._places))
