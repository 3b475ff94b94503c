from datetime import timedelta

import pytest

from fakes.auction_books import (
    ADA,
    BOB,
    CYD,
    END,
    SELLER,
    auction_of,
    bid_of,
    book_of,
    enter,
    place,
    soft_close,
    terms_of,
)
from kernel.errors import BlytzError
from svc_auction.domain.book import State
from svc_auction.domain.errors import AuctionEnded
from svc_auction.domain.events import AuctionEnded as Ended
from svc_auction.domain.terms import BuyNow, BuyNowAvailability

SECOND = timedelta(seconds=1)


def test_a_late_bid_moves_the_end_to_so_long_after_it() -> None:
    terms = terms_of(soft_close=soft_close(within_s=60, by_s=120))
    book = book_of(terms)
    now = END - 10 * SECOND
    placed, extended = place(terms, book, ADA, 1_00, now=now)
    assert book.ends_at == placed.ends_at == now + 120 * SECOND
    assert extended is not None
    assert (extended.sequence, extended.ends_at) == (placed.sequence + 1, book.ends_at)
    assert extended.extension_count == book.extension_count == 1


def test_exactly_the_window_left_is_not_late() -> None:
    terms = terms_of(soft_close=soft_close(within_s=60))
    book = book_of(terms)
    _, extended = place(terms, book, ADA, 1_00, now=END - 60 * SECOND)
    assert (extended, book.ends_at) == (None, END)
    _, extended = place(terms, book, BOB, 9_00, now=END - 60 * SECOND + SECOND / 1_000_000)
    assert extended is not None


def test_without_soft_close_the_end_is_fixed() -> None:
    terms = terms_of()
    book = book_of(terms)
    _, extended = place(terms, book, ADA, 1_00, now=END - SECOND / 1_000_000)
    assert (extended, book.ends_at, book.extension_count) == (None, END, 0)


def test_the_end_moves_so_many_times_at_the_most() -> None:
    terms = terms_of(soft_close=soft_close(within_s=60, by_s=60, times=2))
    book = book_of(terms)
    ends = []
    for number in range(4):
        assert book.ends_at is not None
        place(terms, book, (ADA, BOB)[number % 2], 1_00 * 2**number, now=book.ends_at - SECOND)
        ends.append(book.ends_at)
    assert ends == [END + 59 * SECOND, END + 118 * SECOND] + 2 * [END + 118 * SECOND]
    assert book.extension_count == 2


def test_the_end_never_moves_back() -> None:
    terms = terms_of(soft_close=soft_close(within_s=60, by_s=20, times=5))
    book = book_of(terms)
    _, extended = place(terms, book, ADA, 1_00, now=END - 30 * SECOND)
    assert (extended, book.ends_at, book.extension_count) == (None, END, 0)
    _, extended = place(terms, book, BOB, 9_00, now=END - 5 * SECOND)
    assert extended is not None
    assert book.ends_at == END + 15 * SECOND


@pytest.mark.parametrize(("bidder_id", "maximum_minor"), [(BOB, 1), (SELLER, 90_00), (ADA, 9_00)])
def test_a_rejected_bid_never_extends(bidder_id: str, maximum_minor: int) -> None:
    terms = terms_of(soft_close=soft_close())
    book = book_of(terms, ends_at=END)
    place(terms, book, ADA, 20_00)
    with pytest.raises(BlytzError):
        place(terms, book, bidder_id, maximum_minor, now=END - SECOND)
    assert (book.ends_at, book.extension_count, book.bid_count, book.sequence) == (END, 0, 1, 3)


def test_a_bid_after_the_end_does_not_reopen_it() -> None:
    terms = terms_of(soft_close=soft_close())
    book = book_of(terms)
    with pytest.raises(AuctionEnded):
        place(terms, book, ADA, 20_00, now=END)
    assert book.ends_at == END


def test_a_losing_bid_extends_once_like_any_other() -> None:
    terms = terms_of(soft_close=soft_close())
    book = book_of(terms)
    place(terms, book, ADA, 90_00)
    now = END - SECOND
    placed, extended = place(terms, book, CYD, 20_00, now=now)
    assert extended is not None
    assert (placed.leader_id, book.extension_count) == (ADA, 1)
    assert book.ends_at == now + 120 * SECOND


def test_the_end_moves_no_further_than_the_latest_end() -> None:
    terms = terms_of(soft_close=soft_close(within_s=60, by_s=60, times=9, latest_s=75))
    book = book_of(terms)
    latest = END + 75 * SECOND
    ends, moved = [], []
    for number in range(4):
        assert book.ends_at is not None
        bidder_id = (ADA, BOB)[number % 2]
        _, extended = place(terms, book, bidder_id, 1_00 * 2**number, now=book.ends_at - SECOND)
        ends.append(book.ends_at)
        moved.append(extended is not None)
    assert ends == [END + 59 * SECOND, latest, latest, latest]
    assert moved == [True, True, False, False]
    assert book.extension_count == 2


def test_whichever_limit_comes_first_counts() -> None:
    terms = terms_of(soft_close=soft_close(within_s=60, by_s=60, times=1, latest_s=3_600))
    book = book_of(terms)
    place(terms, book, ADA, 1_00, now=END - SECOND)
    _, extended = place(terms, book, BOB, 9_00, now=END + 50 * SECOND)
    assert (extended, book.ends_at) == (None, END + 59 * SECOND)


def test_the_latest_end_is_as_far_from_the_announced_one_after_a_pause() -> None:
    terms = terms_of(soft_close=soft_close(within_s=60, by_s=600, times=9, latest_s=100))
    auction = auction_of(terms)
    place(terms, auction.book, ADA, 1_00, now=END - 50 * SECOND)
    assert auction.book.ends_at == END + 100 * SECOND
    auction.pause(now=END)
    auction.resume(now=END + 3_600 * SECOND)
    latest = END + 3_700 * SECOND
    assert auction.book.ends_at == latest
    _, extended = place(terms, auction.book, BOB, 9_00, now=latest - SECOND)
    assert (extended, auction.book.ends_at, auction.book.extension_count) == (None, latest, 1)


def test_a_bid_ahead_of_the_opening_moves_nothing() -> None:
    terms = terms_of(soft_close=soft_close())
    waits = {"ends_at": None, "announced_end_at": None, "starts_at": None}
    book = book_of(terms, state=State.QUEUED, **waits)
    placed, extended = place(terms, book, ADA, 1_00)
    assert (extended, placed.ends_at, book.ends_at, book.extension_count) == (None, None, None, 0)


def test_a_duel_of_two_maxima_is_one_extension() -> None:
    terms = terms_of(soft_close=soft_close(within_s=60, by_s=60))
    book = book_of(terms)
    place(terms, book, ADA, 500_00)
    _, extended = place(terms, book, BOB, 900_00, now=END - SECOND)
    assert extended is not None
    assert (book.extension_count, book.sequence) == (1, 5)


def test_a_purchase_moves_nothing() -> None:
    buy_now = BuyNow(50_00, BuyNowAvailability.UNTIL_REACHED)
    terms = terms_of(soft_close=soft_close(), buy_now=buy_now)
    book, now = book_of(terms), END - SECOND
    placed, ended = enter(terms, book, bid_of(ADA, 50_00, buys=True), now=now)
    assert isinstance(ended, Ended)
    assert (book.ends_at, placed.ends_at, book.extension_count) == (now, now, 0)
