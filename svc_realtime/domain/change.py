"""What the hub is fed with. What is inside the bytes is the contract's business, not the hub's."""

from dataclasses import dataclass

from svc_realtime.domain.position import Position


@dataclass(frozen=True, slots=True)
class Change:
    """One event of an auction.

    ``update`` is what viewers are sent of it, serialised once for all of them; it is empty where
    there is nothing to show, and then only the position moves. ``committed_at_s`` is Unix time.
    """

    auction_id: str
    position: Position
    committed_at_s: float
    update: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where an auction stands after ``position``, serialised."""

    position: Position
    body: bytes
