from datetime import timedelta

import pytest

from fakes.auction_books import (
    ADA,
    BOB,
    CYD,
    END,
    SELLER,
    START,
    asking_minor,
    auction_of,
    bid_of,
    book_of,
    check_bid,
    place,
    terms_of,
)
from svc_auction.domain.book import State
from svc_auction.domain.errors import (
    AuctionEnded,
    AuctionNotFound,
    AuctionNotLive,
    BidTooLow,
    CurrencyMismatch,
    MaximumNotRaised,
    OwnAuction,
)
from svc_auction.domain.formats import LIVE_LOT, SUDDEN_DEATH
from svc_auction.domain.formats.shape import Format


def test_the_first_bid_leads_at_the_opening_price() -> None:
    terms = terms_of(opening_minor=99_00)
    book = book_of(terms)
    with pytest.raises(BidTooLow) as refused:
        place(terms, book, ADA, 98_99)
    assert refused.value.metadata == {"minimum_minor": "9900"}
    placed, _ = place(terms, book, ADA, 150_00)
    assert (book.price_minor, book.leader_id, placed.outbid_id) == (99_00, ADA, None)


def test_a_bid_of_exactly_the_opening_price_is_enough() -> None:
    terms = terms_of(opening_minor=99_00)
    book = book_of(terms)
    place(terms, book, ADA, 99_00)
    assert (book.price_minor, asking_minor(terms, book)) == (99_00, 100_00)


def test_the_vector_20_against_9() -> None:
    terms = terms_of()
    book = book_of(terms)
    place(terms, book, ADA, 9_00)
    placed, _ = place(terms, book, BOB, 20_00)
    assert (book.price_minor, book.leader_id, placed.outbid_id) == (9_50, BOB, ADA)
    placed, _ = place(terms, book, CYD, 20_01)
    assert (book.price_minor, book.leader_id, placed.outbid_id) == (20_01, CYD, BOB)


@pytest.mark.parametrize(
    ("maximum_minor", "price_minor", "leader_id"),
    [(130_00, 132_50, ADA), (200_00, 152_50, BOB)],
)
def test_the_vector_150_at_127_50(maximum_minor: int, price_minor: int, leader_id: str) -> None:
    terms = terms_of()
    book = book_of(
        terms, leader_id=ADA, leader_maximum_minor=150_00, price_minor=127_50, bid_count=2
    )
    place(terms, book, BOB, maximum_minor)
    assert (book.price_minor, book.leader_id) == (price_minor, leader_id)


def test_a_tie_lifts_the_price_to_the_maximum_and_the_earlier_leads() -> None:
    terms = terms_of()
    book = book_of(terms)
    place(terms, book, ADA, 50_00)
    placed, _ = place(terms, book, BOB, 50_00)
    assert (book.price_minor, book.leader_id) == (50_00, ADA)
    assert (placed.leader_id, placed.outbid_id, placed.bidder_id) == (ADA, None, BOB)


def test_the_price_never_exceeds_the_leaders_maximum() -> None:
    terms = terms_of()
    book = book_of(terms)
    place(terms, book, ADA, 50_00)
    place(terms, book, BOB, 49_99)
    assert (book.price_minor, book.leader_id) == (50_00, ADA)


def test_the_step_is_that_of_the_second_maximum() -> None:
    terms = terms_of()
    book = book_of(terms)
    place(terms, book, ADA, 24_99)
    place(terms, book, BOB, 99_00)
    assert book.price_minor == 25_49
    place(terms, book, CYD, 26_49)
    assert book.price_minor == 27_49


def test_a_leader_who_raises_changes_no_price() -> None:
    terms = terms_of()
    book = book_of(terms)
    place(terms, book, ADA, 20_00)
    place(terms, book, BOB, 19_90)
    assert book.price_minor == 20_00
    placed, _ = place(terms, book, ADA, 90_00)
    assert (book.price_minor, book.leader_maximum_minor, book.bid_count) == (20_00, 90_00, 3)
    assert placed.outbid_id is None


@pytest.mark.parametrize("maximum_minor", [19_99, 20_00])
def test_a_maximum_is_never_taken_back(maximum_minor: int) -> None:
    terms = terms_of()
    book = book_of(terms)
    place(terms, book, ADA, 20_00)
    with pytest.raises(MaximumNotRaised) as refused:
        place(terms, book, ADA, maximum_minor)
    assert refused.value.metadata == {"maximum_minor": "2000"}


def test_a_refusal_tells_nothing_about_the_leaders_maximum() -> None:
    terms = terms_of()
    refusals = []
    for maximum_minor in (30_00, 300_00):
        book = book_of(terms)
        place(terms, book, ADA, maximum_minor)
        place(terms, book, BOB, 20_00)
        with pytest.raises(BidTooLow) as refused:
            place(terms, book, CYD, 20_99)
        refusals.append((refused.value.message, refused.value.metadata))
    assert refusals[0] == refusals[1]


def test_the_minimum_next_bid_is_exact() -> None:
    terms = terms_of()
    book = book_of(terms)
    place(terms, book, ADA, 30_00)
    place(terms, book, BOB, 20_00)
    assert asking_minor(terms, book) == 21_00
    with pytest.raises(BidTooLow):
        place(terms, book, CYD, 20_99)
    place(terms, book, CYD, 21_00)


def test_a_sufficient_maximum_lifts_the_price_to_the_reserve() -> None:
    terms = terms_of(reserve_minor=80_00)
    book = book_of(terms)
    place(terms, book, ADA, 79_99)
    assert book.price_minor == terms.opening_minor
    place(terms, book, BOB, 10_00)
    assert book.price_minor == 10_50
    place(terms, book, CYD, 80_00)
    assert (book.price_minor, book.leader_id) == (80_00, CYD)


def test_a_leader_who_raises_to_the_reserve_lifts_the_price() -> None:
    terms = terms_of(reserve_minor=80_00)
    book = book_of(terms)
    place(terms, book, ADA, 20_00)
    place(terms, book, ADA, 200_00)
    assert (book.price_minor, book.bid_count) == (80_00, 2)


def test_above_the_reserve_the_price_goes_its_way() -> None:
    terms = terms_of(reserve_minor=80_00)
    book = book_of(terms)
    place(terms, book, ADA, 200_00)
    place(terms, book, BOB, 100_00)
    assert book.price_minor == 102_50


def test_nobody_bids_on_their_own_auction() -> None:
    terms = terms_of()
    with pytest.raises(OwnAuction):
        place(terms, book_of(terms), SELLER, 100_00)


def test_the_currency_must_be_the_auctions() -> None:
    terms = terms_of()
    with pytest.raises(CurrencyMismatch) as refused:
        check_bid(terms, book_of(terms), bid_of(ADA, 5_00, currency_code="EUR"), START)
    assert refused.value.metadata == {"currency_code": "USD"}


def test_the_end_itself_is_too_late() -> None:
    terms = terms_of()
    book = book_of(terms)
    place(terms, book, ADA, 1_00, now=END - timedelta(microseconds=1))
    for late in (END, END + timedelta(microseconds=1)):
        with pytest.raises(AuctionEnded):
            place(terms, book, BOB, 100_00, now=late)


def test_an_announced_auction_takes_no_bids_yet() -> None:
    terms = terms_of()
    for state in (State.SCHEDULED, State.CANCELLED):
        with pytest.raises(AuctionNotLive) as refused:
            place(terms, book_of(terms, state=state), ADA, 1_00)
        assert refused.value.metadata == {"state": state.name}


def test_a_paused_auction_takes_no_bids_even_after_its_end() -> None:
    terms = terms_of()
    for now in (START, END):
        with pytest.raises(AuctionNotLive) as refused:
            place(terms, book_of(terms, state=State.PAUSED, paused_at=START), ADA, 1_00, now=now)
        assert refused.value.metadata == {"state": "PAUSED"}


def test_a_lot_that_waits_takes_bids_ahead_that_count_when_it_opens() -> None:
    auction = auction_of(
        terms_of(), state=State.QUEUED, starts_at=None, ends_at=None, announced_end_at=None
    )
    terms, book = auction.terms, auction.book
    placed, _ = place(terms, book, ADA, 20_00)
    assert (placed.ends_at, book.leader_id, book.price_minor) == (None, ADA, 1)
    place(terms, book, BOB, 9_00)
    auction.open_lot(now=START, duration=None)
    assert (book.leader_id, book.price_minor, book.bid_count) == (ADA, 9_50, 2)
    placed, _ = place(terms, book, BOB, 30_00)
    assert (placed.outbid_id, book.price_minor) == (ADA, 20_50)


@pytest.mark.parametrize("format_", [LIVE_LOT, SUDDEN_DEATH])
def test_the_other_ascending_formats_have_the_same_rules(format_: Format) -> None:
    terms = terms_of(format=format_, ladder=format_.ladder, opening_minor=5_00)
    book = book_of(terms)
    place(terms, book, ADA, 49_00)
    place(terms, book, BOB, 31_00)
    assert (book.price_minor, book.leader_id) == (33_00, ADA)
    with pytest.raises(BidTooLow) as refused:
        place(terms, book, CYD, 34_99)
    assert refused.value.metadata == {"minimum_minor": "3500"}
    place(terms, book, CYD, 50_00)
    assert (book.price_minor, book.leader_id) == (50_00, CYD)


def test_an_ended_auction_says_so() -> None:
    terms = terms_of()
    with pytest.raises(AuctionEnded):
        place(terms, book_of(terms, state=State.ENDED), ADA, 1_00)


def test_a_draft_is_as_good_as_none_to_others() -> None:
    terms = terms_of()
    draft = book_of(terms, state=State.DRAFT, starts_at=None, ends_at=None)
    with pytest.raises(AuctionNotFound):
        place(terms, draft, ADA, 1_00)
    with pytest.raises(AuctionNotLive):
        place(terms, draft, SELLER, 1_00)


def test_sequences_and_counts_go_up_by_one() -> None:
    terms = terms_of()
    book = book_of(terms)
    sequences = []
    for number, maximum_minor in enumerate((1_00, 2_00, 3_00, 3_50), start=1):
        placed, _ = place(terms, book, (ADA, BOB)[number % 2], maximum_minor)
        sequences.append(placed.sequence)
        assert placed.bid_count == book.bid_count == number
    assert sequences == [3, 4, 5, 6]
