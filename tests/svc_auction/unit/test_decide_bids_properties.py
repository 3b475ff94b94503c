"""What holds for any batch: the money, the order, and that batching changes nothing."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from fakes.bid_batches import Batches, batches, check_batches
from fakes.mutants import planted
from svc_auction.application import decide_bids as module


@settings(max_examples=150, deadline=None)
@given(batches)
def test_any_batches_of_bids(given_batches: Batches) -> None:
    check_batches(given_batches)


def finds_a_bug() -> bool:
    @settings(
        max_examples=2_000,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(batches)
    def search(given_batches: Batches) -> None:
        check_batches(given_batches)

    try:
        search()
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param(
            "book.held_minor = book.leader_maximum_minor",
            "book.held_minor = book.price_minor",
            id="the price is held",
        ),
        pytest.param(
            "_commit(terms, leader_before, -maximum_before_minor, bench, decisions)",
            "pass",
            id="the outbid get nothing back",
        ),
        pytest.param(
            "free_minor = own_minor + (power",
            "free_minor = (power",
            id="a raise needs the whole maximum again",
        ),
        pytest.param(
            "free_minor < needed_minor",
            "free_minor < 0",
            id="nobody looks at the funds",
        ),
        pytest.param(
            "                bench.recorded[key] = verdict",
            "                pass",
            id="a replay counts again",
        ),
        pytest.param(
            "earlier.event.maximum_minor == bid.maximum_minor",
            "True",
            id="another body is replayed",
        ),
        pytest.param(
            "bid.maximum_minor - own_minor, bench",
            "bid.maximum_minor, bench",
            id="a raised sealed bid is held twice",
        ),
        pytest.param(
            "bench.sealed_minor[bid.auction_id, bid.bidder_id] = bid.maximum_minor",
            "pass",
            id="a sealed bid is forgotten within the batch",
        ),
        pytest.param(
            "power.allotted_minor -= book.price_minor",
            "power.allotted_minor -= book.leader_maximum_minor + 1",
            id="the winner pays more than the price",
        ),
        pytest.param(
            "    if event.won:\n        _take",
            "    if False:\n        _take",
            id="nobody pays for what they buy",
        ),
        pytest.param(
            "limit_minor - committed_minor + own_minor",
            "limit_minor - committed_minor",
            id="a raise counts twice against the limit",
        ),
        pytest.param(
            "needed_minor > left_minor",
            "needed_minor > limit_minor",
            id="the limit counts each lot by itself",
        ),
        pytest.param(
            "before_minor + book.price_minor",
            "before_minor",
            id="what is won no longer counts against the limit",
        ),
        pytest.param(
            "decisions.leaders_before.setdefault(bid.auction_id, leader_before)",
            "decisions.leaders_before[bid.auction_id] = leader_before",
            id="the leader before the last bid passes for the one before the batch",
        ),
        pytest.param(
            "bid.bidder_id not in bench.card_holders",
            "False",
            id="nobody looks for a card",
        ),
        pytest.param("if bench.bars:", "if False:", id="nobody looks at the bars"),
    ],
)
def test_a_planted_bug_is_found(right: str, wrong: str) -> None:
    with planted(module, right, wrong):
        assert finds_a_bug()
