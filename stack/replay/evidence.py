"""What a replay was told while it ran, held against what the mesh says afterwards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

from blytz.auction.v1.auction_pb2 import Bid
from blytz.auction.v1.auction_service_pb2 import PlaceBidResponse


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A bid of whose commit the client was told."""

    request_id: str
    bid_id: str
    sequence: int
    price_minor: int

    @classmethod
    def of(cls, request_id: str, response: PlaceBidResponse) -> "Acknowledgement":
        """Return what an answer promises."""
        bid = response.bid
        return cls(request_id, bid.bid_id, bid.sequence, bid.price.amount_minor)


@dataclass(slots=True)
class Findings:
    """Counts of what must not be; all zero in a sound mesh.

    ``lost``: acknowledged bids that are not there, or not as they were acknowledged. ``doubled``:
    bids that are there without an acknowledgement of their own. ``disordered``: bids whose sequence
    does not follow the order in which they were placed.
    """

    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    feed_gaps: int = 0
    feed_duplicates: int = 0

    def add(self, other: "Findings") -> None:
        """Count in what was found elsewhere."""
        for field in fields(self):
            total = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, total)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not any(getattr(self, field.name) for field in fields(self))


def examine_bids(acknowledged: Sequence[Acknowledgement], listed: Iterable[Bid]) -> Findings:
    """Compare the acknowledgements of one auction, in the order of its bids, with its bid list."""
    entries = [(bid.bid_id, bid.sequence, bid.price.amount_minor) for bid in listed]
    promised = [(each.bid_id, each.sequence, each.price_minor) for each in acknowledged]
    sequences = [each.sequence for each in acknowledged]
    return Findings(
        lost=len(set(promised) - set(entries)),
        # One entry a promise: a second entry of the same bid, an entry that nobody was promised,
        # and two promises that share one bid are all wrong.
        doubled=len(entries)
        - len(set(promised) & set(entries))
        + len(promised)
        - len(set(promised)),
        disordered=sum(later <= earlier for earlier, later in pairwise(sequences)),
    )
