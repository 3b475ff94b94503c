"""Sealed auctions against all maxima at once, and the proof that the comparison finds bugs."""

from dataclasses import dataclass
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fakes.auction_books import ADA, BOB, CYD, START, bid_of, book_of, terms_of
from fakes.mutants import planted
from kernel.errors import BlytzError
from svc_auction.domain.bidding import accept_bid, check_amount, check_open
from svc_auction.domain.book import Book, State
from svc_auction.domain.closing import end, outcome_of
from svc_auction.domain.formats import (
    SEALED_FIRST_PRICE,
    SEALED_SECOND_PRICE,
    sealed_first_price,
    sealed_second_price,
)
from svc_auction.domain.formats.shape import Format

OPENING_MINOR = 10
SEALED = [SEALED_FIRST_PRICE, SEALED_SECOND_PRICE]
FOUR = (ADA, BOB, CYD, ADA.replace("0ad", "0da"))


@dataclass(frozen=True)
class Sealed:
    """Bids as they come in, on an auction with or without a reserve."""

    bids: list[tuple[str, int]]
    reserve_minor: int | None

    def run(self, format_: Format) -> tuple[Book, list[str]]:
        """Place the bids; return the book and why some were refused."""
        terms = terms_of(
            format=format_, opening_minor=OPENING_MINOR, reserve_minor=self.reserve_minor
        )
        book, refusals = book_of(terms), []
        own_minor: dict[str, int] = {}
        for bidder_id, maximum_minor in self.bids:
            bid = bid_of(bidder_id, maximum_minor)
            try:
                check_open(terms, book, bid, START)
                check_amount(terms, book, bid, START, own_minor=own_minor.get(bidder_id, 0))
            except BlytzError as refusal:
                refusals.append(refusal.reason)
                continue
            placed, follow_up = accept_bid(terms, book, bid, START)
            assert (placed.won, follow_up, book.state) == (False, None, State.LIVE)
            assert terms.format.shown_price_minor(terms, book.price_minor) == OPENING_MINOR
            assert terms.format.asking_minor(terms, book, START) == OPENING_MINOR
            own_minor[bidder_id] = maximum_minor
        ended = end(book, outcome_of(terms, book), START)
        assert ended.price_minor == book.price_minor
        return book, refusals

    def highest(self) -> dict[str, tuple[int, int]]:
        """Return each bidder's highest maximum and minus its place in the order, if acceptable."""
        found: dict[str, tuple[int, int]] = {}
        for place, (bidder_id, maximum_minor) in enumerate(self.bids):
            if maximum_minor >= OPENING_MINOR and maximum_minor > found.get(bidder_id, (0, 0))[0]:
                found[bidder_id] = maximum_minor, -place
        return found

    def check(self) -> None:
        """Compare both formats with what follows from all maxima together."""
        highest = self.highest()
        order = sorted(highest, key=lambda bidder_id: highest[bidder_id], reverse=True)
        winner_id = order[0] if order else None
        first_minor = highest[order[0]][0] if order else OPENING_MINOR
        second_minor = highest[order[1]][0] if len(order) > 1 else OPENING_MINOR
        reserve_minor = self.reserve_minor or 0
        met = bool(order) and first_minor >= reserve_minor
        first, _ = self.run(SEALED_FIRST_PRICE)
        second, _ = self.run(SEALED_SECOND_PRICE)
        assert first.leader_id == second.leader_id == winner_id
        assert first.price_minor == first_minor
        assert second.price_minor == max(second_minor, reserve_minor if met else 0)
        for book in (first, second):
            assert (book.outcome is not None and book.outcome.name) == (
                "NO_BIDS" if not order else "SOLD" if met else "RESERVE_NOT_MET"
            )


runs = st.builds(
    Sealed,
    bids=st.lists(st.tuples(st.sampled_from(FOUR), st.integers(8, 24)), max_size=12),
    reserve_minor=st.one_of(st.none(), st.integers(OPENING_MINOR, 25)),
)


@settings(max_examples=300, deadline=None)
@given(runs)
def test_any_bids_come_to_what_all_maxima_come_to(run: Sealed) -> None:
    run.check()


LATER = ("maximum_minor > book.leader_maximum_minor", "maximum_minor >= book.leader_maximum_minor")
OWN = ("is None or bidder_id == book.leader_id", "is None")
LEVEL = ("book.leader_maximum_minor >= terms", "book.leader_maximum_minor > terms")
LOST = ("max(book.price_minor, book.leader_maximum_minor)", "book.price_minor")
LOW = ("max(book.price_minor, maximum_minor)", "book.price_minor")


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        pytest.param(sealed_first_price, *LATER, id="first price: a tie goes to the later"),
        pytest.param(sealed_second_price, *LATER, id="second price: a tie goes to the later"),
        pytest.param(sealed_second_price, *OWN, id="a raise sets the bidder's own price"),
        pytest.param(sealed_second_price, *LEVEL, id="the reserve itself does not reach it"),
        pytest.param(sealed_second_price, *LOST, id="who loses the lead is forgotten"),
        pytest.param(sealed_second_price, *LOW, id="who never led is forgotten"),
    ],
)
def test_a_planted_bug_is_found(module: ModuleType, right: str, wrong: str) -> None:
    @settings(
        max_examples=1_000,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(runs)
    def search(run: Sealed) -> None:
        run.check()

    with planted(module, right, wrong), pytest.raises(AssertionError):
        search()


@pytest.mark.parametrize(
    ("format_", "price_minor"), [(SEALED_FIRST_PRICE, 90), (SEALED_SECOND_PRICE, 60)]
)
def test_the_highest_wins_and_pays_the_first_or_second_price(
    format_: Format, price_minor: int
) -> None:
    book, _ = Sealed([(ADA, 40), (BOB, 90), (CYD, 60)], None).run(format_)
    assert (book.leader_id, book.price_minor) == (BOB, price_minor)


@pytest.mark.parametrize("format_", SEALED)
def test_of_two_equal_maxima_the_earlier_wins_at_that_amount(format_: Format) -> None:
    book, _ = Sealed([(ADA, 90), (BOB, 90)], None).run(format_)
    assert (book.leader_id, book.price_minor) == (ADA, 90)


@pytest.mark.parametrize(
    ("reserve_minor", "price_minor"), [(None, OPENING_MINOR), (50, 50), (90, 90), (91, 10)]
)
def test_alone_one_pays_the_opening_price_or_the_reserve_at_second_price(
    reserve_minor: int | None, price_minor: int
) -> None:
    book, _ = Sealed([(ADA, 90)], reserve_minor).run(SEALED_SECOND_PRICE)
    assert book.price_minor == price_minor


@pytest.mark.parametrize("format_", SEALED)
def test_everybody_can_only_raise_their_own(format_: Format) -> None:
    bids = [(ADA, 90), (BOB, 40), (BOB, 40), (BOB, 39), (BOB, 41), (ADA, 90), (CYD, 9)]
    book, refusals = Sealed(bids, None).run(format_)
    assert refusals == ["MAXIMUM_NOT_RAISED"] * 3 + ["BID_TOO_LOW"]
    assert book.bid_count == 3
