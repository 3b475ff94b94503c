"""One process of a service: migrated once, then served, ready when its admin port says so."""

import sys
from collections.abc import Mapping
from pathlib import Path

from stack.layout import PROJECT_ROOT, python_path
from stack.part import Part, PartFailed, describe_exit, probe_http
from stack.ports import LOOPBACK
from stack.process import Command, run_once


class Service(Part):
    """A service, or one of its worker processes; only the first of them migrates."""

    def __init__(
        self,
        *,
        name: str,
        module: str,
        grpc_port: int,
        admin_port: int,
        environment: Mapping[str, str],
        needs: tuple[str, ...],
        migrates: bool,
        log_folder: Path,
    ) -> None:
        self.name = name
        self.needs = needs
        self.address = f"{LOOPBACK}:{grpc_port}"
        self.admin_url = f"http://{LOOPBACK}:{admin_port}"
        self._module = module
        self._migrates = migrates
        self._log_folder = log_folder
        self._environment = {
            **environment,
            "BLYTZ_GRPC_ADDRESS": self.address,
            "BLYTZ_ADMIN_ADDRESS": f"{LOOPBACK}:{admin_port}",
            "PYTHONPATH": python_path(),
            "PYTHONUNBUFFERED": "1",
        }

    async def prepare(self) -> None:
        """Bring the service's database to the newest version."""
        if not self._migrates:
            return
        log_path = self._log_folder / f"{self.name}.log"
        code = await run_once(self._command("migrate"), log_path=log_path)
        if code != 0:
            raise PartFailed(f"{self.name} could not migrate: {describe_exit(code)}.")

    def command(self) -> Command:
        """Serve."""
        return self._command("serve")

    async def probe(self) -> None:
        """Be ready when the service says so."""
        await probe_http(f"{self.admin_url}/readyz")

    def _command(self, role: str) -> Command:
        return Command(
            argv=(sys.executable, "-m", self._module, role),
            environment=self._environment,
            directory=PROJECT_ROOT,
        )
