"""The rules of bidding in every format, told a second time, against what a bid log says.

Told differently from svc_auction, on purpose: a leader is the first who came to the highest of all
maxima that stand, and a price is what these maxima come to, see ``prices``. A retraction is told by
telling the log again without what was taken back. Source: docs, "Auction rules".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stack.doctor.prices import DUTCH, SEALED, Falling, Terms, price_minor

__all__ = ["Falling", "Record", "Retraction", "Terms", "faults_of"]


@dataclass(frozen=True, slots=True)
class Record:
    """A bid in a log: a maximum, and what the auction was said to be after it.

    ``won`` says that it ended the auction, by a purchase or by taking a falling price.
    """

    sequence: int
    bidder_id: str
    maximum_minor: int
    price_minor: int
    leader_id: str
    bid_count: int
    won: bool = False
    placed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retraction:
    """A retraction in a log: the numbers of the bids, and what the auction was said to be then."""

    sequence: int
    bidder_id: str
    price_minor: int
    leader_id: str
    sequences: tuple[int, ...]


@dataclass(slots=True)
class _Picture:
    """What stands: each bidder's highest maximum, in the order in which they came to it."""

    terms: Terms
    maxima: dict[str, int] = field(default_factory=dict)
    leader_id: str = ""
    price_minor: int = 0
    bid_count: int = 0

    def __post_init__(self) -> None:
        self.price_minor = self.price_minor or self.terms.opening_minor

    def add(self, bid: Record) -> None:
        """Let one more maximum stand."""
        self.bid_count += 1
        if bid.won:
            self.leader_id = bid.bidder_id
            bought_minor = self.terms.buy_now_minor
            fallen_minor = self.terms.fallen_minor(bid.placed_at)
            self.price_minor = bought_minor if bought_minor is not None else fallen_minor
            return
        if bid.maximum_minor > self.maxima.get(bid.bidder_id, 0):
            self.maxima.pop(bid.bidder_id, None)
            self.maxima[bid.bidder_id] = bid.maximum_minor
        raised_own = bid.bidder_id == self.leader_id
        # The first of equal maxima: whoever came to it earlier.
        self.leader_id = max(self.maxima, key=lambda bidder_id: self.maxima[bidder_id])
        self.price_minor = price_minor(
            self.terms, self.maxima, self.leader_id, self.price_minor, raised_own=raised_own
        )

    def minimum_minor(self, bid: Record) -> int:
        """Return the least maximum that was acceptable when a bid came."""
        if self.terms.format == DUTCH:
            return self.terms.fallen_minor(bid.placed_at)
        if self.terms.format in SEALED or not self.leader_id:
            return self.terms.opening_minor
        return self.price_minor + self.terms.step_minor(self.price_minor)


def faults_of(terms: Terms, records: Sequence[Record | Retraction]) -> list[tuple[int, str]]:
    """Return what the rules would not have let happen: the sequence of a record, and why."""
    faults: list[tuple[int, str]] = []
    picture, standing, over = _Picture(terms), dict[int, Record](), False
    for record in records:
        if over:
            faults.append((record.sequence, "it comes after the bid that ended the auction"))
        if isinstance(record, Retraction):
            taken = [standing.pop(sequence, None) for sequence in record.sequences]
            if not taken or any(b is None or b.bidder_id != record.bidder_id for b in taken):
                faults.append((record.sequence, "it takes back what is no bid of its bidder's"))
            picture = _Picture(terms)
            for bid in standing.values():
                picture.add(bid)
        else:
            faults += [(record.sequence, fault) for fault in _refusals(picture, record)]
            standing[record.sequence] = record
            picture.add(record)
            over = over or record.won
            if record.bid_count != picture.bid_count:
                faults.append((record.sequence, f"it counts {record.bid_count} bids"))
        if (record.leader_id, record.price_minor) != (picture.leader_id, picture.price_minor):
            leads = f"{picture.leader_id or 'nobody'} leads at {picture.price_minor}"
            faults.append((record.sequence, f"the record disagrees: after it {leads}"))
    return faults


def _refusals(picture: _Picture, bid: Record) -> list[str]:
    """Return why a bid would have been refused."""
    if bid.won and picture.terms.format != DUTCH:
        return _purchase_refusals(picture, bid)
    terms, refusals = picture.terms, []
    minimum_minor = picture.minimum_minor(bid)
    if bid.maximum_minor < minimum_minor:
        refusals.append(f"below the minimum next bid of {minimum_minor}")
    if terms.format == DUTCH and not bid.won:
        refusals.append("the first bid ends a Dutch auction")
    if terms.always_for_sale and bid.maximum_minor >= (terms.buy_now_minor or 0):
        refusals.append("it reaches the buy-now price and bought nothing")
    if bid.bidder_id == picture.leader_id or terms.format in SEALED:
        own_minor = picture.maxima.get(bid.bidder_id, 0)
        if bid.maximum_minor <= own_minor:
            refusals.append("the bidder did not raise their maximum")
    return refusals


def _purchase_refusals(picture: _Picture, bid: Record) -> list[str]:
    terms = picture.terms
    if terms.buy_now_minor is None:
        return ["nothing could be bought at once"]
    refusals = []
    if picture.leader_id and picture.price_minor >= terms.buy_now_minor:
        refusals.append("the price had reached the buy-now price")
    exact = bid.maximum_minor == terms.buy_now_minor
    if not exact and not (terms.always_for_sale and bid.maximum_minor > terms.buy_now_minor):
        refusals.append("it is not at the buy-now price")
    return refusals
