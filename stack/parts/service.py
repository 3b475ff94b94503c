"""One process of a service: migrated once, then served, ready when its admin port says so."""

import asyncio
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from stack.layout import PROJECT_ROOT, python_path
from stack.part import Part, PartFailed, describe_exit, probe_http
from stack.ports import LOOPBACK
from stack.process import Command, run_once


class Service(Part):
    """A service, or one of its worker processes; only the first of them migrates.

    `stamp_path` remembers, beside the database itself, which migrations it has had: a look at the
    files is quicker than a process. Without a path the service is always asked.
    """

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
        stamp_path: Path | None,
    ) -> None:
        self.name = name
        self.needs = needs
        self.address = f"{LOOPBACK}:{grpc_port}"
        self.admin_url = f"http://{LOOPBACK}:{admin_port}"
        self._module = module
        self._migrates = migrates
        self._log_folder = log_folder
        self._stamp_path = stamp_path
        self._migrations_folder = PROJECT_ROOT / module / "infrastructure" / "migrations"
        self._environment = {
            **environment,
            "BLYTZ_GRPC_ADDRESS": self.address,
            "BLYTZ_ADMIN_ADDRESS": f"{LOOPBACK}:{admin_port}",
            "PYTHONPATH": python_path(),
            "PYTHONUNBUFFERED": "1",
        }

    async def prepare(self) -> None:
        """Bring the service's database to the newest version, unless it is there already."""
        migrations = self._migrations_folder
        if not self._migrates or not migrations.is_dir():
            return
        version = await asyncio.to_thread(_digest, migrations)
        stamp = self._stamp_path
        if stamp is not None and stamp.exists() and stamp.read_text() == version:
            return
        log_path = self._log_folder / f"{self.name}.log"
        code = await run_once(self._command("migrate"), log_path=log_path)
        if code != 0:
            raise PartFailed(f"{self.name} could not migrate: {describe_exit(code)}.")
        if stamp is not None:
            stamp.parent.mkdir(exist_ok=True)
            stamp.write_text(version)

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


def _digest(folder: Path) -> str:
    """Return what changes when a migration is added or changed."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".py", ".sql"}:
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
