"""Increment ladders: how far the next bid must lie above the price."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from svc_auction.domain.errors import TermsInvalid


@dataclass(frozen=True, slots=True)
class Step:
    """From this price on, in minor units, the next bid is at least ``step_minor`` higher."""

    price_from_minor: int
    step_minor: int


class Ladder:
    """Steps from the lowest price up; the first applies from zero.

    ``TermsInvalid`` if the steps do not start at zero, do not rise in price, or are not positive.
    """

    __slots__ = ("_prices_from_minor", "_steps_minor", "steps")

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)
        self._prices_from_minor = [step.price_from_minor for step in steps]
        self._steps_minor = [step.step_minor for step in steps]
        if not steps or self._prices_from_minor[0] != 0:
            raise TermsInvalid(problem="the increment ladder must start at a price of 0")
        if sorted(set(self._prices_from_minor)) != self._prices_from_minor:
            raise TermsInvalid(problem="the increment ladder must rise from step to step")
        if min(self._steps_minor) <= 0:
            raise TermsInvalid(problem="an increment must be above 0")

    def step_minor(self, price_minor: int) -> int:
        """Return the step that applies to a price, both in minor units."""
        return self._steps_minor[bisect_right(self._prices_from_minor, price_minor) - 1]


def _ladder(*steps: tuple[int, int]) -> Ladder:
    return Ladder([Step(price_from_minor, step_minor) for price_from_minor, step_minor in steps])


DEFAULT_LADDER = _ladder(
    (0, 5),
    (1_00, 25),
    (5_00, 50),
    (25_00, 1_00),
    (100_00, 2_50),
    (250_00, 5_00),
    (500_00, 10_00),
    (1_000_00, 25_00),
    (2_500_00, 50_00),
    (5_000_00, 100_00),
)
"""The ladder of an auction that names none."""

LIVE_LADDER = _ladder(
    (0, 1_00),
    (30_00, 2_00),
    (50_00, 3_00),
    (100_00, 5_00),
    (300_00, 10_00),
    (1_000_00, 20_00),
    (2_000_00, 50_00),
)
"""The ladder of a live lot that names none: larger steps, fewer bids."""
