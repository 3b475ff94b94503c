"""The rules against the brute-force reference, and the proof that the comparison finds bugs."""

from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from fakes.bidding_scenarios import Scenario, check_scenario, scenarios
from fakes.mutants import planted
from svc_auction.domain import bidding, increments, soft_close
from svc_auction.domain.formats import ascending


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
    ("module", "right", "wrong"),
    [
        pytest.param(
            ascending,
            "elif maximum_minor > book.leader_maximum_minor:",
            "elif maximum_minor >= book.leader_maximum_minor:",
            id="a tie goes to the later",
        ),
        pytest.param(
            ascending,
            "second_minor + terms.ladder.step_minor(second_minor)",
            "second_minor + terms.ladder.step_minor(book.price_minor)",
            id="the step of another bracket",
        ),
        pytest.param(
            ascending,
            "price_minor + terms.ladder.step_minor(price_minor)",
            "price_minor + terms.ladder.step_minor(price_minor + 1)",
            id="the minimum is a step of the next bracket",
        ),
        pytest.param(
            bidding,
            "        raise BidTooLow(",
            "        extend(terms, book, now)\n        raise BidTooLow(",
            id="a bid that is too low extends",
        ),
        pytest.param(
            bidding,
            "        raise MaximumNotRaised(",
            "        extend(terms, book, now)\n        raise MaximumNotRaised(",
            id="a maximum that is not raised extends",
        ),
        pytest.param(bidding, "now >= book.ends_at", "now > book.ends_at", id="the end takes bids"),
        pytest.param(
            soft_close,
            "book.ends_at - now >= soft_close",
            "book.ends_at - now > soft_close",
            id="the window is closed",
        ),
        pytest.param(
            soft_close,
            "book.extension_count >= soft_close.extensions_max or ",
            "",
            id="endless extensions",
        ),
        pytest.param(soft_close, " or ends_at <= book.ends_at", "", id="the end moves back"),
        pytest.param(
            soft_close,
            "ends_at = now + soft_close.extend_by",
            "ends_at = book.ends_at + soft_close.extend_by",
            id="the end moves from the end",
        ),
        pytest.param(
            soft_close,
            "min(ends_at, book.announced_end_at + soft_close.latest_end_after)",
            "ends_at",
            id="the hard end is passed",
        ),
        pytest.param(
            soft_close,
            "book.announced_end_at + soft_close",
            "book.ends_at + soft_close",
            id="the hard end moves along",
        ),
        pytest.param(
            ascending,
            "book.leader_maximum_minor >= terms.reserve_minor",
            "book.leader_maximum_minor > terms.reserve_minor",
            id="a maximum of the reserve does not reach it",
        ),
        pytest.param(
            bidding,
            "bid.maximum_minor <= own_minor",
            "bid.maximum_minor < own_minor",
            id="the leader repeats the maximum",
        ),
        pytest.param(
            bidding,
            "bid.maximum_minor < asking_minor",
            "bid.maximum_minor <= asking_minor",
            id="the minimum is too low",
        ),
        pytest.param(
            ascending,
            "bidder_id == book.leader_id:",
            "bidder_id == book.leader_id:\n"
            "            _raise_price(terms, book, book.leader_maximum_minor)",
            id="a leader outbids themselves",
        ),
        pytest.param(
            ascending,
            "min(book.leader_maximum_minor, wanted_minor)",
            "wanted_minor",
            id="the price exceeds the maximum",
        ),
        pytest.param(
            bidding,
            "if bid.bidder_id == terms.seller_id:\n        raise OwnAuction",
            "if False:\n        raise OwnAuction",
            id="the seller bids",
        ),
        pytest.param(
            bidding,
            "if bid.maximum_minor != price_minor:",
            "if bid.maximum_minor > price_minor:",
            id="a purchase below the price",
        ),
        pytest.param(
            bidding,
            "if book.bid_count and book.price_minor >= price_minor:",
            "if book.bid_count and book.price_minor > price_minor:",
            id="a purchase at a price that was reached",
        ),
        pytest.param(
            bidding,
            "and bid.maximum_minor >= buy_now.price_minor",
            "and bid.maximum_minor > buy_now.price_minor",
            id="a maximum that reaches the price buys nothing",
        ),
        pytest.param(
            bidding,
            "        and buy_now.availability is BuyNowAvailability.WHOLE_AUCTION\n",
            "",
            id="a maximum buys until it is reached too",
        ),
        pytest.param(
            bidding,
            "bid.maximum_minor > factor * price_minor",
            "bid.maximum_minor >= factor * price_minor",
            id="exactly the factor needs a confirmation",
        ),
        pytest.param(
            increments,
            "bisect_right(self._prices_from_minor, price_minor) - 1",
            "max(0, bisect_right(self._prices_from_minor, price_minor - 1) - 1)",
            id="a bracket begins too late",
        ),
    ],
)
def test_a_planted_bug_is_found(module: ModuleType, right: str, wrong: str) -> None:
    with planted(module, right, wrong):
        assert finds_a_bug(check_scenario)
