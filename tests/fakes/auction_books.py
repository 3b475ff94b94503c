"""Auctions for tests of the pure rules: terms, live books and bids in one line each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kernel.ids import new_id
from svc_auction.domain.auction import Auction, Listing
from svc_auction.domain.bidding import Bid, accept_bid, check_amount, check_open
from svc_auction.domain.book import Book, State
from svc_auction.domain.events import AuctionEvent, AuctionExtended, BidPlaced
from svc_auction.domain.increments import DEFAULT_LADDER
from svc_auction.domain.terms import Funding, SoftClose, Terms

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
END = START + timedelta(hours=1)

SELLER = "0190a1b2-0000-7000-8000-00000000005e"
ADA = "0190a1b2-0000-7000-8000-0000000000ad"
BOB = "0190a1b2-0000-7000-8000-0000000000b0"
CYD = "0190a1b2-0000-7000-8000-0000000000c1"
AUCTION_ID = "0190a1b2-0000-7000-8000-00000000000a"


def terms_of(**changes: Any) -> Terms:
    """Return terms in USD from 0.01 on, without reserve, fixed end, open funding."""
    return replace(
        Terms(
            seller_id=SELLER,
            currency_code="USD",
            opening_minor=1,
            reserve_minor=None,
            ladder=DEFAULT_LADDER,
            soft_close=None,
            funding=Funding.OPEN,
        ),
        **changes,
    )


def soft_close(
    *, within_s: float = 60, by_s: float = 120, times: int = 3, latest_s: float | None = None
) -> SoftClose:
    return SoftClose(
        timedelta(seconds=within_s),
        timedelta(seconds=by_s),
        times,
        None if latest_s is None else timedelta(seconds=latest_s),
    )


def book_of(terms: Terms, **changes: Any) -> Book:
    """Return the book of a live auction without bids, from START to END."""
    return replace(
        Book(
            auction_id=AUCTION_ID,
            state=State.LIVE,
            outcome=None,
            epoch=1,
            sequence=2,
            price_minor=terms.opening_minor,
            leader_id=None,
            leader_maximum_minor=0,
            held_minor=0,
            bid_count=0,
            extension_count=0,
            starts_at=START,
            ends_at=END,
            announced_end_at=END,
            paused_at=None,
            paused_for=timedelta(0),
            ending_soon_at=None,
            log_head=b"",
        ),
        **{"announced_end_at": changes.get("ends_at", END), **changes},
    )


def auction_of(terms: Terms, **changes: Any) -> Auction:
    """Return an auction whose book is changed from a live one without bids."""
    book = book_of(terms, **changes)
    listing = Listing(book.auction_id, "Sue's shop", "A watch", "It ticks.", "", START)
    return Auction(listing, terms, book)


def bid_of(
    bidder_id: str,
    maximum_minor: int,
    *,
    auction_id: str = AUCTION_ID,
    currency_code: str = "USD",
    request_id: str | None = None,
    confirmed: bool = False,
    buys: bool = False,
) -> Bid:
    return Bid(
        request_id or new_id(),
        auction_id,
        bidder_id,
        currency_code,
        maximum_minor,
        confirmed=confirmed,
        buys=buys,
    )


def check_bid(terms: Terms, book: Book, bid: Bid, now: datetime) -> None:
    """Raise why the rules refuse a bid, as long as the format is not a sealed one."""
    check_open(terms, book, bid, now)
    own_minor = book.leader_maximum_minor if bid.bidder_id == book.leader_id else 0
    check_amount(terms, book, bid, now, own_minor=own_minor)


def asking_minor(terms: Terms, book: Book, now: datetime = START) -> int:
    """Return the least maximum that would be accepted."""
    return terms.format.asking_minor(terms, book, now)


def place(
    terms: Terms, book: Book, bidder_id: str, maximum_minor: int, *, now: datetime = START
) -> tuple[BidPlaced, AuctionExtended | None]:
    """Check a bid that ends no auction, and enter it."""
    bid = bid_of(bidder_id, maximum_minor, currency_code=terms.currency_code)
    placed, follow_up = enter(terms, book, bid, now=now)
    assert follow_up is None or isinstance(follow_up, AuctionExtended)
    return placed, follow_up


def enter(
    terms: Terms, book: Book, bid: Bid, *, now: datetime = START
) -> tuple[BidPlaced, AuctionEvent | None]:
    """Check any bid and enter it; it may end the auction."""
    check_bid(terms, book, bid, now)
    return accept_bid(terms, book, bid, now)
