from datetime import timedelta

import pytest

from fakes.auction_books import ADA, BOB, CYD, END, SELLER, book_of, place, soft_close, terms_of
from kernel.errors import BlytzError
from svc_auction.domain.errors import AuctionEnded

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
