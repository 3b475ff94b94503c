"""What holds for any batch: the money, the order, and that batching changes nothing."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fakes.auction_books import ADA, AUCTION_ID, BOB, CYD, bid_of, terms_of
from fakes.benches import bench_of, outcomes
from fakes.mutants import mutant
from svc_auction.application import decide_bids as module
from svc_auction.application.decide_bids import Bench, PowerKey
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.auction import Funding
from svc_auction.domain.bidding import Bid
from svc_auction.domain.errors import InsufficientFunds

AUCTIONS = {
    AUCTION_ID: terms_of(funding=Funding.WALLET_HOLD),
    AUCTION_ID.replace("a1b2", "a1b3"): terms_of(funding=Funding.WALLET_HOLD),
    AUCTION_ID.replace("a1b2", "a1b4"): terms_of(funding=Funding.OPEN),
    AUCTION_ID.replace("a1b2", "a1b5"): terms_of(funding=Funding.WALLET_HOLD, currency_code="EUR"),
}
REQUEST_IDS = [f"0190a1b2-0000-7000-8000-{number:012x}" for number in range(8)]
AMOUNTS_MINOR = (1, 6, 50, 1_00, 2_00, 2_50, 5_00, 10_00, 10_01, 20_00, 50_00, 100_00)
CHOICES: tuple[Sequence[Any], ...] = (
    (ADA, BOB, CYD),
    tuple(AUCTIONS),
    AMOUNTS_MINOR,
    REQUEST_IDS + [""] * 24,
)


@dataclass(frozen=True)
class Batches:
    """Bids, where the batches end, and what each bidder has in each currency."""

    bids: list[Bid]
    cuts: set[int]
    allotted: dict[PowerKey, int]

    def bench(self) -> Bench:
        return bench_of(AUCTIONS, self.allotted)

    def split(self) -> list[list[Bid]]:
        edges = [0, *sorted(cut for cut in self.cuts if cut < len(self.bids)), len(self.bids)]
        return [self.bids[start:end] for start, end in pairwise(edges)]


def _bid(numbered: tuple[int, int]) -> Bid:
    position, number = numbered
    picked = []
    for choices in CHOICES:
        number, index = divmod(number, len(choices))
        picked.append(choices[index])
    bidder_id, auction_id, maximum_minor, request_id = picked
    return bid_of(
        bidder_id,
        maximum_minor,
        auction_id=auction_id,
        currency_code=AUCTIONS[auction_id].currency_code,
        request_id=request_id or f"0190a1b2-0000-7000-8001-{position:012x}",
    )


batches = st.builds(
    Batches,
    bids=st.lists(st.integers(0, math.prod(map(len, CHOICES)) - 1), min_size=1, max_size=25).map(
        lambda numbers: [_bid(numbered) for numbered in enumerate(numbers)]
    ),
    cuts=st.sets(st.integers(1, 24), max_size=6),
    allotted=st.lists(st.sampled_from([0, 5_00, 30_00, 200_00]), min_size=6, max_size=6).map(
        lambda amounts: {
            (bidder_id, currency_code): amount
            for (bidder_id, currency_code), amount in zip(
                [(b, c) for b in (ADA, BOB, CYD) for c in ("USD", "EUR")], amounts, strict=True
            )
        }
    ),
)


def check_money(bench: Bench) -> None:
    """What is held is the sum of the leaders' maxima, and nobody holds more than they have."""
    expected: dict[PowerKey, int] = defaultdict(int)
    for auction_id, terms in AUCTIONS.items():
        book = bench.books[auction_id]
        funded = terms.funding is Funding.WALLET_HOLD
        assert book.held_minor == (book.leader_maximum_minor if funded else 0)
        if book.leader_id is not None and funded:
            expected[book.leader_id, terms.currency_code] += book.leader_maximum_minor
    for key, power in bench.power.items():
        assert power.held_minor == expected[key]
        assert 0 <= power.held_minor <= power.allotted_minor


def free_minor(bench: Bench, bid: Bid) -> int:
    """Return what a bidder could spend on an auction, from the books alone."""
    elsewhere_minor = sum(
        book.leader_maximum_minor
        for auction_id, book in bench.books.items()
        if auction_id != bid.auction_id
        and book.leader_id == bid.bidder_id
        and AUCTIONS[auction_id].funding is Funding.WALLET_HOLD
        and AUCTIONS[auction_id].currency_code == bid.currency_code
    )
    return bench.power[bid.bidder_id, bid.currency_code].allotted_minor - elsewhere_minor


def check_batches(given_batches: Batches, rules: Any = module) -> None:
    """Decide one by one, checking each step; then in batches, which must come to the same."""
    bench = given_batches.bench()
    verdicts: list[tuple[object, ...]] = []
    accepted: dict[tuple[str, str], tuple[Bid, PlacedBid]] = {}
    for bid in given_batches.bids:
        sequence_before = bench.books[bid.auction_id].sequence
        price_before_minor = bench.books[bid.auction_id].price_minor
        free_before_minor = free_minor(bench, bid)
        decisions = rules.decide_bids([bid], bench)
        (verdict,) = decisions.verdicts
        first, answer = accepted.get((bid.bidder_id, bid.request_id), (None, None))
        book = bench.books[bid.auction_id]
        assert book.price_minor >= price_before_minor
        if isinstance(verdict, PlacedBid) and first is None:
            assert verdict.event.sequence == book.sequence == sequence_before + 1
            assert len(decisions.placed) == 1
            if AUCTIONS[bid.auction_id].funding is Funding.WALLET_HOLD:
                assert bid.maximum_minor <= free_before_minor
            accepted[bid.bidder_id, bid.request_id] = bid, verdict
        else:
            assert (book.sequence, decisions.placed) == (sequence_before, [])
            if first is not None and first == bid:
                assert verdict is answer
            elif first is not None:
                assert getattr(verdict, "reason", None) == "REQUEST_ID_REUSED"
            if isinstance(verdict, InsufficientFunds):
                assert verdict.shortfall_minor == bid.maximum_minor - free_before_minor > 0
        check_money(bench)
        verdicts += outcomes(decisions)

    together = given_batches.bench()
    batched = [rules.decide_bids(bids, together) for bids in given_batches.split()]
    assert [outcome for decisions in batched for outcome in outcomes(decisions)] == verdicts
    assert together.power == bench.power
    for decisions in batched:
        assert all(together.books[key] is book for key, book in decisions.books_changed.items())
        assert all(together.power[key] is row for key, row in decisions.power_changed.items())


@settings(max_examples=150, deadline=None)
@given(batches)
def test_any_batches_of_bids(given_batches: Batches) -> None:
    check_batches(given_batches)


def finds_a_bug(check: Callable[[Batches], None]) -> bool:
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
        check(given_batches)

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
            "_hold(leader_before, -held_before_minor, terms, bench, decisions)",
            "pass",
            id="the outbid get nothing back",
        ),
        pytest.param(
            "        free_minor += book.held_minor",
            "        pass",
            id="a raise needs the whole maximum again",
        ),
        pytest.param(
            "free_minor < bid.maximum_minor",
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
    ],
)
def test_a_planted_bug_is_found(right: str, wrong: str) -> None:
    with mutant(module, right, wrong) as rules:
        assert finds_a_bug(lambda given_batches: check_batches(given_batches, rules))
