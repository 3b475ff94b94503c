from datetime import timedelta

import pytest

from fakes.auction_books import ADA, BOB, END, auction_of, bid_of, enter, place, terms_of
from svc_auction.domain.book import Outcome
from svc_auction.domain.formats import SEALED_FIRST_PRICE, SEALED_SECOND_PRICE
from svc_auction.domain.formats.shape import Format


def test_the_leader_wins_at_the_price() -> None:
    auction = auction_of(terms_of())
    place(auction.terms, auction.book, ADA, 50_00)
    place(auction.terms, auction.book, BOB, 20_00)
    ended = auction.close(now=END)
    assert (ended.outcome, ended.winner_id, ended.price_minor) == (Outcome.SOLD, ADA, 20_50)
    assert ended.log_head == auction.book.log_head
    assert (auction.book.outcome, auction.book.ends_at) == (Outcome.SOLD, END)


@pytest.mark.parametrize(
    ("maximum_minor", "outcome", "winner_id"),
    [(79_99, Outcome.RESERVE_NOT_MET, None), (80_00, Outcome.SOLD, ADA)],
)
def test_below_the_reserve_nobody_wins(
    maximum_minor: int, outcome: Outcome, winner_id: str | None
) -> None:
    auction = auction_of(terms_of(reserve_minor=80_00))
    place(auction.terms, auction.book, ADA, maximum_minor)
    ended = auction.close(now=END)
    assert (ended.outcome, ended.winner_id) == (outcome, winner_id)


def test_without_bids_nobody_wins() -> None:
    ended = auction_of(terms_of()).close(now=END)
    assert (ended.outcome, ended.winner_id, ended.log_head) == (Outcome.NO_BIDS, None, b"")


@pytest.mark.parametrize(
    ("maximum_minor", "outcome"), [(79_99, Outcome.RESERVE_NOT_MET), (80_00, Outcome.SOLD)]
)
@pytest.mark.parametrize(
    ("format_", "price_minor"), [(SEALED_FIRST_PRICE, 0), (SEALED_SECOND_PRICE, 20_00)]
)
def test_a_sealed_auction_sells_only_at_its_reserve(
    format_: Format, price_minor: int, maximum_minor: int, outcome: Outcome
) -> None:
    auction = auction_of(terms_of(format=format_, reserve_minor=80_00))
    enter(auction.terms, auction.book, bid_of(ADA, maximum_minor))
    enter(auction.terms, auction.book, bid_of(BOB, 20_00))
    ended = auction.close(now=END)
    assert (ended.outcome, ended.winner_id is None) == (outcome, outcome is not Outcome.SOLD)
    met = 80_00 if outcome is Outcome.SOLD else 0
    assert ended.price_minor == max(price_minor or maximum_minor, met)


def test_an_auction_that_is_closed_early_ends_at_that_time() -> None:
    auction = auction_of(terms_of())
    early = END - timedelta(minutes=10)
    ended = auction.close(now=early)
    assert (auction.book.ends_at, ended.occurred_at) == (early, early)
