"""Buying at once: when it is offered, what it costs, and what it does."""

import pytest

from fakes.auction_books import (
    ADA,
    BOB,
    CYD,
    END,
    SELLER,
    START,
    bid_of,
    book_of,
    check_bid,
    enter,
    place,
    terms_of,
)
from svc_auction.domain.bidding import Bid, buy_now_minor, due_minor
from svc_auction.domain.book import Book, Outcome, State
from svc_auction.domain.errors import (
    AuctionEnded,
    AuctionNotLive,
    BuyNowUnavailable,
    CurrencyMismatch,
    OwnAuction,
)
from svc_auction.domain.events import AuctionEnded as Ended
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, Terms

PRICE_MINOR = 50_00
UNTIL_REACHED = terms_of(buy_now=BuyNow(PRICE_MINOR, BuyNowAvailability.UNTIL_REACHED))
WHOLE_AUCTION = terms_of(buy_now=BuyNow(PRICE_MINOR, BuyNowAvailability.WHOLE_AUCTION))
BOTH = pytest.mark.parametrize("terms", [UNTIL_REACHED, WHOLE_AUCTION])


def purchase(bidder_id: str, price_minor: int = PRICE_MINOR) -> Bid:
    return bid_of(bidder_id, price_minor, buys=True)


def check_sold(terms: Terms, book: Book, bid: Bid, *, outbid_id: str | None) -> None:
    """Enter a purchase and check all that it does."""
    count, sequence = book.bid_count, book.sequence
    assert due_minor(terms, book, bid, START) == PRICE_MINOR
    placed, ended = enter(terms, book, bid)
    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.winner_id) == (Outcome.BOUGHT_NOW, bid.bidder_id)
    assert ended.price_minor == placed.price_minor == book.price_minor == PRICE_MINOR
    assert (placed.won, placed.leader_id, placed.outbid_id) == (True, bid.bidder_id, outbid_id)
    assert placed.maximum_minor == bid.maximum_minor
    assert (placed.sequence, ended.sequence) == (sequence + 1, sequence + 2)
    assert (book.bid_count, placed.bid_count) == (count + 1, count + 1)
    assert (placed.ends_at, book.ends_at, book.state) == (START, START, State.ENDED)
    assert ended.log_head == placed.record_hash == book.log_head
    with pytest.raises(AuctionEnded):
        check_bid(terms, book, purchase(CYD), START)


@BOTH
def test_without_bids_anyone_may_buy(terms: Terms) -> None:
    check_sold(terms, book_of(terms), purchase(ADA), outbid_id=None)


@BOTH
def test_whoever_leads_loses_to_a_purchase(terms: Terms) -> None:
    book = book_of(terms)
    place(terms, book, ADA, 20_00)
    check_sold(terms, book, purchase(BOB), outbid_id=ADA)


@BOTH
def test_the_leader_may_buy_too(terms: Terms) -> None:
    book = book_of(terms)
    place(terms, book, ADA, 20_00)
    check_sold(terms, book, purchase(ADA), outbid_id=None)


def test_a_lot_that_waits_can_be_bought() -> None:
    waits = {"starts_at": None, "ends_at": None, "announced_end_at": None}
    book = book_of(UNTIL_REACHED, state=State.QUEUED, **waits)
    check_sold(UNTIL_REACHED, book, purchase(ADA), outbid_id=None)


@BOTH
@pytest.mark.parametrize("price_minor", [1, PRICE_MINOR - 1, PRICE_MINOR + 1])
def test_the_price_must_be_the_one_that_is_offered(terms: Terms, price_minor: int) -> None:
    book = book_of(terms)
    with pytest.raises(BuyNowUnavailable) as refused:
        enter(terms, book, purchase(ADA, price_minor))
    assert refused.value.metadata == {"price_minor": "5000"}
    assert book == book_of(terms)


def test_what_is_not_offered_cannot_be_bought() -> None:
    with pytest.raises(BuyNowUnavailable) as refused:
        enter(terms_of(), book_of(terms_of()), purchase(ADA))
    assert refused.value.metadata == {}


def test_the_offer_ends_when_the_price_has_reached_it() -> None:
    book = book_of(UNTIL_REACHED)
    place(UNTIL_REACHED, book, ADA, 90_00)
    place(UNTIL_REACHED, book, BOB, 48_99)
    assert (book.price_minor, buy_now_minor(UNTIL_REACHED, book)) == (49_99, PRICE_MINOR)
    place(UNTIL_REACHED, book, BOB, 50_99)
    assert (book.price_minor, buy_now_minor(UNTIL_REACHED, book)) == (51_99, None)
    with pytest.raises(BuyNowUnavailable) as refused:
        enter(UNTIL_REACHED, book, purchase(CYD))
    assert refused.value.metadata == {}
    place(UNTIL_REACHED, book, CYD, 95_00)


def test_a_price_of_exactly_the_offer_has_reached_it() -> None:
    book = book_of(UNTIL_REACHED)
    place(UNTIL_REACHED, book, ADA, 90_00)
    place(UNTIL_REACHED, book, BOB, 49_00)
    assert (book.price_minor, buy_now_minor(UNTIL_REACHED, book)) == (50_00, None)


def test_an_opening_price_of_exactly_the_offer_does_not_take_it_away() -> None:
    buy_now = BuyNow(PRICE_MINOR, BuyNowAvailability.UNTIL_REACHED)
    terms = terms_of(opening_minor=PRICE_MINOR, buy_now=buy_now)
    check_sold(terms, book_of(terms), purchase(ADA), outbid_id=None)


def test_a_maximum_may_pass_an_offer_until_reached() -> None:
    book = book_of(UNTIL_REACHED)
    bid = bid_of(ADA, 90_00)
    assert due_minor(UNTIL_REACHED, book, bid, START) == 90_00
    placed, follow_up = enter(UNTIL_REACHED, book, bid)
    assert (placed.won, follow_up, book.state) == (False, None, State.LIVE)
    assert (book.price_minor, book.leader_maximum_minor) == (1, 90_00)


@pytest.mark.parametrize("maximum_minor", [PRICE_MINOR, PRICE_MINOR + 1, 90_00])
@pytest.mark.parametrize("bidder_id", [ADA, BOB])
def test_a_maximum_that_reaches_an_offer_for_the_whole_auction_is_a_purchase(
    bidder_id: str, maximum_minor: int
) -> None:
    book = book_of(WHOLE_AUCTION)
    place(WHOLE_AUCTION, book, ADA, PRICE_MINOR - 1)
    outbid_id = ADA if bidder_id == BOB else None
    check_sold(WHOLE_AUCTION, book, bid_of(bidder_id, maximum_minor), outbid_id=outbid_id)
    assert book.leader_maximum_minor == PRICE_MINOR


def test_a_maximum_below_the_offer_is_a_bid_like_any_other() -> None:
    book = book_of(WHOLE_AUCTION)
    placed, follow_up = enter(WHOLE_AUCTION, book, bid_of(ADA, PRICE_MINOR - 1))
    assert (placed.won, follow_up, book.price_minor) == (False, None, 1)
    assert due_minor(WHOLE_AUCTION, book, bid_of(BOB, PRICE_MINOR - 1), START) == PRICE_MINOR - 1


@BOTH
def test_a_purchase_needs_no_confirmation(terms: Terms) -> None:
    book = book_of(terms)
    large = terms_of(buy_now=terms.buy_now, confirm_above_factor=2)
    check_sold(large, book, purchase(ADA), outbid_id=None)


def test_who_may_not_bid_may_not_buy() -> None:
    with pytest.raises(OwnAuction):
        enter(UNTIL_REACHED, book_of(UNTIL_REACHED), purchase(SELLER))
    euro = bid_of(ADA, PRICE_MINOR, currency_code="EUR", buys=True)
    with pytest.raises(CurrencyMismatch):
        enter(UNTIL_REACHED, book_of(UNTIL_REACHED), euro)
    with pytest.raises(AuctionEnded):
        enter(UNTIL_REACHED, book_of(UNTIL_REACHED), purchase(ADA), now=END)
    for state in (State.PAUSED, State.SCHEDULED, State.CANCELLED):
        with pytest.raises(AuctionNotLive):
            enter(UNTIL_REACHED, book_of(UNTIL_REACHED, state=state), purchase(ADA))
