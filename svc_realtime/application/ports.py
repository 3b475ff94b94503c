"""What the hub needs from outside: snapshots to start from, and the form of a frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from svc_realtime.domain.change import Snapshot
from svc_realtime.domain.position import Position


class AuctionSource(Protocol):
    """The service that owns the auctions."""

    async def load(self, auction_id: str) -> Snapshot:
        """Return where a public auction stands.

        ``AuctionNotFound`` if there is none, ``FeedUnavailable`` if it cannot be told now.
        """


class FrameCodec(Protocol):
    """The wire form of what viewers are sent. The hub moves bytes and never looks inside."""

    def frame(
        self,
        position: Position | None,
        *,
        snapshot: Snapshot | None = None,
        updates: Sequence[bytes] = (),
        recovered: bool = False,
        reconnect: bool = False,
    ) -> bytes:
        """Return one frame."""

    def join(self, frames: Sequence[bytes]) -> bytes:
        """Return one frame that says what consecutive frames of updates say."""

    def fold(self, snapshot: Snapshot, updates: Sequence[bytes], position: Position) -> Snapshot:
        """Return the snapshot after the updates that lead to ``position``."""


ObserveStaleness = Callable[[float], None]
"""Told a sample of how many seconds lay between a commit and its leaving for a viewer."""


@dataclass(slots=True)
class Tally:
    """What the hub has done since it started, and how many watch now."""

    viewers: int = 0
    frames_sent: int = 0
    updates_sent: int = 0
    bytes_sent: int = 0
    duplicates_dropped: int = 0
    breaks: int = 0
    loads: int = 0
    load_failures: int = 0
    conflations: int = 0
    too_slow: int = 0
    recovered: int = 0
    not_recovered: int = 0
