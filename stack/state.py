"""What others may know about a running stack.

A lock says who runs it, a file says how it is.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stack.keeper import Keeper
from stack.layout import Layout
from stack.mesh import Mesh

_LOCK_ATTEMPTS = 5
_LOCK_PAUSE_S = 0.02


class AlreadyRunning(Exception):
    """Another stack runs in the data folder."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(f"A stack already runs in {data_dir}; stop it with `blytz down`.")


@contextmanager
def held_lock(layout: Layout) -> Iterator[None]:
    """Hold the data folder for as long as the block lasts; raise AlreadyRunning if it is held."""
    descriptor = os.open(layout.lock_path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if not _try_lock(descriptor):
            raise AlreadyRunning(layout.root)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    """Take the lock; try again for a moment, because one who asks holds it for an instant."""
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)
        else:
            return True
    return False


def running_pid(layout: Layout) -> int | None:
    """Return the supervisor's process id; None when no stack runs in the data folder."""
    try:
        descriptor = os.open(layout.lock_path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, 32).decode()
        return int(text) if text.isdigit() else None
    else:
        return None
    finally:
        os.close(descriptor)


class StateFile:
    """Writes the state whenever a part changes; a reader never sees half of it."""

    def __init__(self, layout: Layout, mesh: Mesh) -> None:
        self._path = layout.state_path
        self._mesh = mesh

    def write(self, keepers: dict[str, Keeper]) -> dict[str, Any]:
        """Write what the keepers know now, and return it."""
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "ready": all(keeper.ready.is_set() for keeper in keepers.values()),
            **self._mesh.addresses,
            "parts": {name: _describe(keeper) for name, keeper in keepers.items()},
        }
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(state, file, indent=2)
        fresh.rename(self._path)
        return state


def read_state(layout: Layout) -> dict[str, Any]:
    """Return the state of the running stack; nothing ready and no parts when none runs."""
    nothing: dict[str, Any] = {"ready": False, "parts": {}}
    pid = running_pid(layout)
    if pid is None:
        return nothing
    try:
        state = json.loads(layout.state_path.read_text())
    except FileNotFoundError:
        return nothing
    # The file of the stack before this one says nothing about this one.
    return state if isinstance(state, dict) and state.get("pid") == pid else nothing


def _describe(keeper: Keeper) -> dict[str, Any]:
    return {
        "state": keeper.state.value,
        "ready": keeper.ready.is_set(),
        "pid": keeper.pid,
        "address": keeper.part.address,
        "restarts": keeper.restarts,
        "ready_after_s": round(keeper.ready_after_s, 3),
        "log": str(keeper.log_path),
        "last_words": keeper.last_words,
    }
