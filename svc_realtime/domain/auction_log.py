"""What a replica knows of one auction: a run of updates, and a snapshot from which to start."""

from collections.abc import Callable, Sequence
from enum import Enum, auto

from svc_realtime.domain.change import Change, Snapshot
from svc_realtime.domain.history import History, HistoryLimits
from svc_realtime.domain.position import Position

Fold = Callable[[Snapshot, Sequence[bytes], Position], Snapshot]
"""Returns the snapshot after the updates that lead to a position."""


class Verdict(Enum):
    """What a change is to a log."""

    KNOWN = auto()
    """It was there before, or belongs to a log that an operator has replaced."""
    NEXT = auto()
    """It follows what was there."""
    BREAK = auto()
    """What lies before it is missing: the log starts over with it, without a snapshot."""


class Fit(Enum):
    """What a snapshot from elsewhere is to a log."""

    STALE = auto()
    """Older than the oldest update: what lies between is missing."""
    FITS = auto()
    """Every update after it is here."""
    AHEAD = auto()
    """It includes events that the log has yet to see."""


class AuctionLog:
    """The updates ``base + 1`` to ``last`` of one epoch, and a snapshot at one of them, or none.

    The snapshot is folded forward in bulk: when somebody asks for it, and before the updates that
    it needs leave the history.
    """

    __slots__ = ("_fold", "_history", "_limits", "_snapshot", "_unfolded_bytes", "epoch")

    def __init__(self, *, limits: HistoryLimits, fold: Fold) -> None:
        self.epoch = 0
        self._limits = limits
        self._fold = fold
        self._history = History(base=0, limits=limits)
        self._snapshot: Snapshot | None = None
        self._unfolded_bytes = 0

    @property
    def started(self) -> bool:
        """Whether anything is known of the auction; positions mean nothing before."""
        return self.epoch > 0

    @property
    def base(self) -> int:
        """The number of the last event before the history."""
        return self._history.base

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return self._history.last

    @property
    def size_bytes(self) -> int:
        """How much memory the updates and the snapshot take, roughly."""
        body_bytes = 0 if self._snapshot is None else len(self._snapshot.body)
        return self._history.size_bytes + body_bytes

    @property
    def has_snapshot(self) -> bool:
        """Whether ``snapshot_at`` can answer."""
        return self._snapshot is not None

    def append(self, change: Change) -> Verdict:
        """Take an event in."""
        epoch, sequence = change.position
        if epoch < self.epoch or (epoch == self.epoch and sequence <= self.last):
            return Verdict.KNOWN
        verdict = Verdict.NEXT
        if epoch > self.epoch or sequence > self.last + 1:
            self._restart(Position(epoch, sequence - 1), None)
            verdict = Verdict.BREAK
        self._history.append(change.update)
        self._unfolded_bytes += len(change.update)
        if self._snapshot is not None and self._snapshot.position.sequence < self._history.base:
            self._snapshot = None
        return verdict

    def fit(self, snapshot: Snapshot) -> Fit:
        """Return what a snapshot is to this log."""
        epoch, sequence = snapshot.position
        if epoch > self.epoch or (epoch == self.epoch and sequence > self.last):
            return Fit.AHEAD
        if epoch < self.epoch or sequence < self.base:
            return Fit.STALE
        return Fit.FITS

    def adopt(self, snapshot: Snapshot) -> None:
        """Take a snapshot that FITS, or start over from one that is AHEAD."""
        if self.fit(snapshot) is Fit.STALE:
            raise ValueError(f"a snapshot at {snapshot.position} is older than the history")
        if self.fit(snapshot) is Fit.AHEAD:
            self._restart(snapshot.position, snapshot)
        self._snapshot = snapshot

    def forget_snapshot(self) -> None:
        """Keep the updates only."""
        self._snapshot = None

    def between(self, start: int, end: int) -> list[bytes] | None:
        """Return the updates ``start + 1`` to ``end``, or None if not all of them are here."""
        return self._history.between(start, end)

    def snapshot_at(self, sequence: int) -> Snapshot | None:
        """Return where the auction stood after event ``sequence``, or None if that is not known."""
        if self._snapshot is None or not self._snapshot.position.sequence <= sequence <= self.last:
            return None
        if self._snapshot.position.sequence < sequence:
            updates = self._history.between(self._snapshot.position.sequence, sequence)
            if updates is None:
                return None
            self._snapshot = self._fold(self._snapshot, updates, Position(self.epoch, sequence))
            self._unfolded_bytes = 0
        return self._snapshot

    def settle(self) -> None:
        """Fold what has been shown to viewers if much of the history hangs on the old snapshot."""
        if self._snapshot is None:
            return
        unfolded_count = self.last - self._snapshot.position.sequence
        if (
            unfolded_count > self._limits.updates_max // 2
            or self._unfolded_bytes > self._limits.bytes_max // 2
        ):
            self.snapshot_at(self.last)

    def _restart(self, position: Position, snapshot: Snapshot | None) -> None:
        self.epoch = position.epoch
        self._history = History(base=position.sequence, limits=self._limits)
        self._snapshot = snapshot
        self._unfolded_bytes = 0
