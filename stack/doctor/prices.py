"""What the maxima that stand come to in each format, told a second time.

Told differently from svc_auction, on purpose: not bid by bid from the state before, but from all
maxima at once, wherever the rules allow it. Source: docs, "Auction rules".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

DUTCH, FIRST_PRICE, SECOND_PRICE = 4, 5, 6
SEALED = frozenset({FIRST_PRICE, SECOND_PRICE})


@dataclass(frozen=True, slots=True)
class Falling:
    """A price that falls by an amount each time an interval has gone by, down to a floor.

    ``runs_from`` is the start, moved by all pauses; None if the price has not begun to fall.
    """

    drop_minor: int
    every: timedelta
    floor_minor: int
    runs_from: datetime | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an auction's rules depend on, in minor units; ``format`` is the contract's number.

    ``always_for_sale`` says that any maximum that reaches the buy-now price is a purchase.
    """

    opening_minor: int
    reserve_minor: int | None
    ladder: tuple[tuple[int, int], ...]
    """Pairs of the price from which a step applies, and the step."""
    format: int = 1
    buy_now_minor: int | None = None
    always_for_sale: bool = False
    falling: Falling | None = None

    def step_minor(self, price_minor: int) -> int:
        """Return the step that applies to a price."""
        return max((start, step) for start, step in self.ladder if start <= price_minor)[1]

    def fallen_minor(self, at: datetime | None) -> int:
        """Return what the price has fallen to at a time."""
        falling = self.falling
        if falling is None or falling.runs_from is None or at is None:
            return self.opening_minor
        times, price_minor = (at - falling.runs_from) // falling.every, self.opening_minor
        return max(falling.floor_minor, price_minor - max(times, 0) * falling.drop_minor)


def price_minor(
    terms: Terms,
    maxima: Mapping[str, int],
    leader_id: str,
    before_minor: int,
    *,
    raised_own: bool,
) -> int:
    """Return the price when these maxima stand, the last of them placed by the leader or not.

    Only an ascending price depends on what it was before: it never falls, and a leader who raises
    their own maximum does not move it.
    """
    top_minor = maxima[leader_id]
    second_minor = max((m for bidder, m in maxima.items() if bidder != leader_id), default=None)
    reserve_met = terms.reserve_minor is not None and top_minor >= terms.reserve_minor
    if terms.format == FIRST_PRICE:
        return top_minor
    floors_minor = [terms.opening_minor, terms.reserve_minor or 0 if reserve_met else 0]
    if terms.format == SECOND_PRICE:
        return max(*floors_minor, second_minor or 0)
    if second_minor is not None and not raised_own:
        floors_minor.append(min(top_minor, second_minor + terms.step_minor(second_minor)))
    return max(before_minor, *floors_minor)
