import pytest

from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.increments import DEFAULT_LADDER, Ladder, Step

# The table of the rules, in cents: from this price on, this step.
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


@pytest.mark.parametrize(("price_from_minor", "step_minor"), BRACKETS)
def test_a_bracket_begins_exactly_at_its_price(price_from_minor: int, step_minor: int) -> None:
    assert DEFAULT_LADDER.step_minor(price_from_minor) == step_minor
    assert DEFAULT_LADDER.step_minor(price_from_minor + 1) == step_minor


@pytest.mark.parametrize(
    ("next_from_minor", "step_minor"),
    [(BRACKETS[i + 1][0], BRACKETS[i][1]) for i in range(len(BRACKETS) - 1)],
)
def test_a_bracket_ends_one_cent_before_the_next(next_from_minor: int, step_minor: int) -> None:
    assert DEFAULT_LADDER.step_minor(next_from_minor - 1) == step_minor


def test_the_last_bracket_has_no_end() -> None:
    assert DEFAULT_LADDER.step_minor(10**14) == 100_00


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
