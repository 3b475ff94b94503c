"""The rules against the brute-force reference, and the proof that the comparison finds bugs."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from fakes.bidding_scenarios import Scenario, check_scenario, scenarios
from fakes.mutants import mutant
from svc_auction.domain import bidding, increments


@settings(max_examples=200, deadline=None)
@given(scenarios())
def test_the_rules_match_the_reference(scenario: Scenario) -> None:
    check_scenario(scenario)


def finds_a_bug(check: Callable[[Scenario], None]) -> bool:
    """Tell whether any scenario out of many makes the check fail."""

    @settings(
        max_examples=2_000,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios())
    def search(scenario: Scenario) -> None:
        check(scenario)

    try:
        search()
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param(
            "elif bid.maximum_minor > book.leader_maximum_minor:",
            "elif bid.maximum_minor >= book.leader_maximum_minor:",
            id="a tie goes to the later",
        ),
        pytest.param(
            "second_minor + terms.ladder.step_minor(second_minor)",
            "second_minor + terms.ladder.step_minor(book.price_minor)",
            id="the step of another bracket",
        ),
        pytest.param(
            "        raise BidTooLow(",
            "        _extends(terms, book, now)\n        raise BidTooLow(",
            id="a rejected bid extends",
        ),
        pytest.param("now >= book.ends_at", "now > book.ends_at", id="the end takes bids"),
        pytest.param(
            "book.ends_at - now >= soft_close",
            "book.ends_at - now > soft_close",
            id="the window is closed",
        ),
        pytest.param(
            "book.extension_count >= soft_close.extensions_max or ",
            "",
            id="endless extensions",
        ),
        pytest.param(" or ends_at <= book.ends_at", "", id="the end moves back"),
        pytest.param(
            "ends_at = now + soft_close.extend_by",
            "ends_at = book.ends_at + soft_close.extend_by",
            id="the end moves from the end",
        ),
        pytest.param(
            "book.leader_maximum_minor >= terms.reserve_minor",
            "book.leader_maximum_minor > terms.reserve_minor",
            id="a maximum of the reserve does not reach it",
        ),
        pytest.param(
            "bid.maximum_minor <= book.leader_maximum_minor",
            "bid.maximum_minor < book.leader_maximum_minor",
            id="the leader repeats the maximum",
        ),
        pytest.param(
            "bid.maximum_minor < minimum_minor",
            "bid.maximum_minor <= minimum_minor",
            id="the minimum is too low",
        ),
        pytest.param(
            "        book.leader_maximum_minor = bid.maximum_minor\n    elif",
            "        _raise_price(terms, book, book.leader_maximum_minor)\n"
            "        book.leader_maximum_minor = bid.maximum_minor\n    elif",
            id="a leader outbids themselves",
        ),
        pytest.param(
            "min(book.leader_maximum_minor, wanted_minor)",
            "wanted_minor",
            id="the price exceeds the maximum",
        ),
        pytest.param(
            "if bid.bidder_id == terms.seller_id:\n        raise OwnAuction",
            "if False:\n        raise OwnAuction",
            id="the seller bids",
        ),
    ],
)
def test_a_planted_bug_is_found(right: str, wrong: str) -> None:
    with mutant(bidding, right, wrong) as rules:
        assert finds_a_bug(lambda scenario: check_scenario(scenario, rules))


def test_a_bracket_that_begins_too_late_is_found() -> None:
    wrong: Any
    right_search = "bisect_right(self._prices_from_minor, price_minor) - 1"
    wrong_search = "max(0, bisect_right(self._prices_from_minor, price_minor - 1) - 1)"
    with mutant(increments, right_search, wrong_search) as wrong:
        assert finds_a_bug(lambda scenario: check_scenario(scenario, ladder_of=wrong.Ladder))
