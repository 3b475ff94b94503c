"""Any steps of any people on two replicas of the real service come to what the rules say.

A brute-force model that knows only the rules takes the same steps. After each of them everything
that can be seen is compared. ``BLYTZ_STATE_STEPS`` sets how many steps are taken.
"""

import asyncio
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from fakes.auction_model_machine import MarketMachine, Run
from fakes.auction_replicas import Replicas, replicas_on
from fakes.auction_shards import auction_database, auctions_on
from fakes.token_mint import TokenMint
from stack.parts.postgres import Postgres
from stack.ports import PortReservations
from svc_auction.application import decide_bids
from svc_auction.application.place_bid import PlaceBid
from svc_auction.application.ports import PlacedBid
from svc_auction.domain import retraction
from svc_auction.domain.bidding import Bid
from svc_auction.domain.book import Book
from svc_auction.domain.errors import BidTooLow
from svc_auction.domain.events import BidPlaced
from svc_auction.domain.formats.ascending import Ascending
from svc_auction.domain.increments import Ladder
from svc_auction.domain.soft_close import extend
from svc_auction.domain.terms import Terms

STEPS = int(os.environ.get("BLYTZ_STATE_STEPS", "2500"))
STEPS_A_RUN = 70
RULES_A_RUN = 40
STEPS_A_HUNT = 1_400


@dataclass
class Stage:
    """Where the machine runs: the replicas, and the loop that they run on."""

    replicas: Replicas
    run: Run
    steps: int = 0

    def count(self, steps: int) -> None:
        self.steps += steps

    @property
    def machine(self) -> Any:
        """What makes machines, one a run."""
        return partial(MarketMachine, self.replicas, self.run, self.count)


def settings_for(steps: int, **changes: Any) -> settings:
    return settings(
        max_examples=max(1, steps // STEPS_A_RUN),
        stateful_step_count=RULES_A_RUN,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        **changes,
    )


def _tie_goes_to_the_later(patch: pytest.MonkeyPatch) -> None:
    right = Ascending.enter

    def enter(self: Ascending, terms: Terms, book: Book, bidder_id: str, *others: Any) -> None:
        right(self, terms, book, bidder_id, *others)
        if others[0] == book.leader_maximum_minor:
            book.leader_id = bidder_id

    patch.setattr(Ascending, "enter", enter)


def _rejected_bid_extends(patch: pytest.MonkeyPatch) -> None:
    right = PlaceBid.__call__

    async def place(self: PlaceBid, bid: Bid, *, confirmation_token: str = "") -> PlacedBid:
        try:
            return await right(self, bid, confirmation_token=confirmation_token)
        except BidTooLow:
            lanes: Any = self._lanes
            async with auctions_on(lanes._shards).change(bid.auction_id) as change:
                if extend(change.auction.terms, change.auction.book, change.now):
                    change.record(None)
            raise

    patch.setattr(PlaceBid, "__call__", place)


def _step_of_the_bracket_below(patch: pytest.MonkeyPatch) -> None:
    def step_minor(self: Ladder, price_minor: int) -> int:
        place = bisect_left(self._prices_from_minor, price_minor) - 1
        return self._steps_minor[max(place, 0)]

    patch.setattr(Ladder, "step_minor", step_minor)


def _losers_hold_is_kept(patch: pytest.MonkeyPatch) -> None:
    right = decide_bids._commit

    def commit(terms: Terms, bidder_id: str, amount_minor: int, *others: Any) -> None:
        right(terms, bidder_id, max(amount_minor, 0), *others)

    patch.setattr(decide_bids, "_commit", commit)


def _retraction_recomputes_nothing(patch: pytest.MonkeyPatch) -> None:
    def recount(terms: Terms, book: Book, bids: Sequence[BidPlaced]) -> None:
        del terms
        book.bid_count = len(bids)

    patch.setattr(retraction, "recount", recount)


@pytest.fixture(scope="module")
def stage(
    postgres_server: Postgres,
    tls_folder: Path,
    port_reservations: PortReservations,
    mint: TokenMint,
) -> Iterator[Stage]:
    url = auction_database(postgres_server)
    with asyncio.Runner() as runner:
        opened = replicas_on(url, tls_folder=tls_folder, ports=port_reservations, mint=mint)
        replicas = runner.run(opened.__aenter__())
        try:
            yield Stage(replicas, runner.run)
        finally:
            runner.run(opened.__aexit__(None, None, None))


def test_whatever_is_done_comes_to_what_the_rules_say(stage: Stage) -> None:
    run_state_machine_as_test(stage.machine, settings=settings_for(STEPS))
    assert stage.steps >= STEPS * 0.8


@pytest.mark.parametrize(
    "plant",
    [
        _tie_goes_to_the_later,
        _rejected_bid_extends,
        _step_of_the_bracket_below,
        _losers_hold_is_kept,
        _retraction_recomputes_nothing,
    ],
)
def test_the_same_machine_finds_what_is_planted(
    stage: Stage, plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    hunt = settings_for(STEPS_A_HUNT, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(stage.machine, settings=hunt)
