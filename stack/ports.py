"""Free TCP ports, reserved between the processes of this machine.

Ports are taken from below the kernel's range for outgoing connections: a client that dials a port
of that range while its server is down can be connected to itself. A lock file a port keeps two
stacks, or two test runs, from choosing the same one between the look and the bind.
"""

import errno
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
_PORT_FIRST = 10_240
_PORT_LAST = 32_767
_ATTEMPTS_MAX = 1_000


class PortTaken(Exception):
    """Somebody else listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} is taken.")
        self.port = port


def require_free(port: int, *, host: str = LOOPBACK) -> None:
    """Raise PortTaken unless the port can be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(port) from error


class PortReservations:
    """Hands out free ports and keeps them reserved until it is closed."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"blytz-ports-{os.getuid()}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._descriptors: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def take(self) -> int:
        """Take a port that is free now and that no other reservation holds."""
        chance = random.SystemRandom()
        for _ in range(_ATTEMPTS_MAX):
            port = chance.randint(_PORT_FIRST, _PORT_LAST)
            if self._reserve(port):
                return port
        raise RuntimeError(f"No free port between {_PORT_FIRST} and {_PORT_LAST}.")

    def close(self) -> None:
        """Give all ports back."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _reserve(self, port: int) -> bool:
        descriptor = os.open(self._folder / str(port), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            require_free(port)
        except (BlockingIOError, PortTaken):
            os.close(descriptor)
            return False
        self._descriptors.append(descriptor)
        return True
