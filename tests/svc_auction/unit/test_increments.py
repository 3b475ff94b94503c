from itertools import pairwise

import pytest

from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.increments import DEFAULT_LADDER, LIVE_LADDER, Ladder, Step

# The tables of the rules, in cents: from this price on, this step.
BRACKETS = [
    (1, 5),
    (1_00, 25),
    (5_00, 50),
    (25_00, 1_00),
    (100_00, 2_50),
    (250_00, 5_00),
    (500_00, 10_00),
    (1_000_00, 25_00),
    (2_500_00, 50_00),
    (5_000_00, 100_00),
]
LIVE_BRACKETS = [
    (1_00, 1_00),
    (30_00, 2_00),
    (50_00, 3_00),
    (100_00, 5_00),
    (300_00, 10_00),
    (1_000_00, 20_00),
    (2_000_00, 50_00),
]
BOTH = [(DEFAULT_LADDER, BRACKETS), (LIVE_LADDER, LIVE_BRACKETS)]


@pytest.mark.parametrize(
    ("ladder", "price_from_minor", "step_minor"),
    [(ladder, *bracket) for ladder, brackets in BOTH for bracket in brackets],
)
def test_a_bracket_begins_exactly_at_its_price(
    ladder: Ladder, price_from_minor: int, step_minor: int
) -> None:
    assert ladder.step_minor(price_from_minor) == step_minor
    assert ladder.step_minor(price_from_minor + 1) == step_minor


@pytest.mark.parametrize(
    ("ladder", "next_from_minor", "step_minor"),
    [
        (ladder, following[0], bracket[1])
        for ladder, brackets in BOTH
        for bracket, following in pairwise(brackets)
    ],
)
def test_a_bracket_ends_one_cent_before_the_next(
    ladder: Ladder, next_from_minor: int, step_minor: int
) -> None:
    assert ladder.step_minor(next_from_minor - 1) == step_minor


@pytest.mark.parametrize(("ladder", "brackets"), BOTH)
def test_a_ladder_is_these_brackets_and_no_others(
    ladder: Ladder, brackets: list[tuple[int, int]]
) -> None:
    (_, first_minor), *others = brackets
    assert ladder.steps == (Step(0, first_minor), *(Step(*bracket) for bracket in others))


def test_the_last_bracket_has_no_end() -> None:
    assert DEFAULT_LADDER.step_minor(10**14) == 100_00
    assert LIVE_LADDER.step_minor(10**14) == 50_00


def test_a_single_step_is_a_fixed_increment() -> None:
    ladder = Ladder([Step(0, 7)])
    assert [ladder.step_minor(price) for price in (0, 1, 10**9)] == [7, 7, 7]


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([], "start at a price of 0"),
        ([Step(1, 5)], "start at a price of 0"),
        ([Step(0, 5), Step(0, 6)], "rise"),
        ([Step(0, 5), Step(100, 6), Step(50, 7)], "rise"),
        ([Step(0, 0)], "above 0"),
        ([Step(0, 5), Step(100, -1)], "above 0"),
    ],
)
def test_a_ladder_with_a_hole_is_refused(steps: list[Step], problem: str) -> None:
    with pytest.raises(TermsInvalid, match=problem):
        Ladder(steps)
