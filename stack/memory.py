"""How much memory the processes of a stack take, shared pages counted once."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

_PROC = Path("/proc")
_BYTES_PER_KB = 1_024


def memory_bytes_of_trees(root_pids: Iterable[int]) -> dict[int, int]:
    """Return, for each process, the proportional set size of it and its descendants, in bytes."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (parent := _parent_pid(entry)) is not None:
            children[parent].append(int(entry.name))
    return {root: _tree_bytes(root, children) for root in root_pids}


def memory_bytes_of(pid: int) -> int:
    """Return the proportional set size of one process; the resident one where that is not told."""
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * _BYTES_PER_KB
    except OSError:
        pass
    try:
        resident_pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return resident_pages * os.sysconf("SC_PAGE_SIZE")


def _tree_bytes(root_pid: int, children: Mapping[int, list[int]]) -> int:
    total, waiting = 0, [root_pid]
    while waiting:
        pid = waiting.pop()
        total += memory_bytes_of(pid)
        waiting += children.get(pid, [])
    return total


def _parent_pid(entry: Path) -> int | None:
    try:
        # The name, in parentheses, may hold anything; the parent's id is the second field after it.
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return None
