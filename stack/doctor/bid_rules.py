"""The rules of English auctions with maximum bids, told a second time.

Told differently from svc_auction, on purpose: not bid by bid from the state before, but from all
maxima that were placed so far. Source: docs, "Auction rules".
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """What an auction's rules depend on, in minor units."""

    opening_minor: int
    reserve_minor: int | None
    ladder: tuple[tuple[int, int], ...]
    """Pairs of the price from which a step applies, and the step."""

    def step_minor(self, price_minor: int) -> int:
        """Return the step that applies to a price."""
        return max((start, step) for start, step in self.ladder if start <= price_minor)[1]


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a bid log: a maximum, and what the auction was said to be after it."""

    sequence: int
    bidder_id: str
    maximum_minor: int
    price_minor: int
    leader_id: str
    bid_count: int


def faults_of(terms: Terms, records: Sequence[Record]) -> list[tuple[int, str]]:
    """Return what the rules would not have let happen: the sequence of a record, and why."""
    faults: list[tuple[int, str]] = []
    # Each bidder's highest maximum, in the order in which they came to it.
    maxima: dict[str, int] = {}
    leader_id, price_minor = "", 0
    for number, record in enumerate(records, start=1):
        minimum_minor = (
            price_minor + terms.step_minor(price_minor) if leader_id else terms.opening_minor
        )
        if record.maximum_minor < minimum_minor:
            faults.append((record.sequence, f"below the minimum next bid of {minimum_minor}"))
        own_minor = maxima.get(record.bidder_id, 0)
        if record.bidder_id == leader_id and record.maximum_minor <= own_minor:
            faults.append((record.sequence, "the leader did not raise their maximum"))
        if record.maximum_minor > own_minor:
            maxima.pop(record.bidder_id, None)
            maxima[record.bidder_id] = record.maximum_minor
        raised_own = record.bidder_id == leader_id
        # The first of equal maxima: whoever came to it earlier.
        leader_id = max(maxima, key=lambda bidder_id: maxima[bidder_id])
        price_minor = _price_minor(terms, maxima, leader_id, price_minor, raised_own=raised_own)
        if (record.leader_id, record.price_minor, record.bid_count) != (
            leader_id,
            price_minor,
            number,
        ):
            expected = f"bid {number} makes {leader_id} lead at {price_minor}"
            faults.append((record.sequence, f"the record disagrees: {expected}"))
    return faults


def _price_minor(
    terms: Terms, maxima: dict[str, int], leader_id: str, before_minor: int, *, raised_own: bool
) -> int:
    """Return the price when these maxima were placed, the last of them by the leader or not."""
    price_minor = before_minor or terms.opening_minor
    others_minor = [maximum for bidder, maximum in maxima.items() if bidder != leader_id]
    if others_minor and not raised_own:
        second_minor = max(others_minor)
        above_second_minor = second_minor + terms.step_minor(second_minor)
        price_minor = max(price_minor, min(maxima[leader_id], above_second_minor))
    if terms.reserve_minor is not None and maxima[leader_id] >= terms.reserve_minor:
        price_minor = max(price_minor, terms.reserve_minor)
    return price_minor
