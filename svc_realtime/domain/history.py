"""The latest updates of one auction, without a gap, within bounds."""

from collections import deque
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """How much of an auction's past is kept: both bounds hold."""

    updates_max: int = 1_000
    bytes_max: int = 256 * 1024


class History:
    """The updates ``base + 1`` to ``last``; the oldest go when a bound is reached."""

    __slots__ = ("_limits", "_updates", "base", "size_bytes")

    def __init__(self, *, base: int, limits: HistoryLimits) -> None:
        self.base = base
        self.size_bytes = 0
        self._limits = limits
        self._updates: deque[bytes] = deque()

    @property
    def last(self) -> int:
        """The number of the newest update."""
        return self.base + len(self._updates)

    def append(self, update: bytes) -> None:
        """Add update ``last + 1``."""
        self._updates.append(update)
        self.size_bytes += len(update)
        while (
            len(self._updates) > self._limits.updates_max
            or self.size_bytes > self._limits.bytes_max
        ):
            self.size_bytes -= len(self._updates.popleft())
            self.base += 1

    def between(self, start: int, end: int) -> list[bytes] | None:
        """Return the updates ``start + 1`` to ``end``, or None if not all of them are here."""
        if not self.base <= start <= end <= self.last:
            return None
        newest_first = islice(reversed(self._updates), self.last - end, self.last - start)
        return list(newest_first)[::-1]
