"""What makes a bid acceptable, and what an accepted one does, whatever the format."""

from dataclasses import dataclass
from datetime import datetime

from kernel.ids import new_id
from svc_auction.domain.bid_log import new_salt, record_hash
from svc_auction.domain.book import Book, Outcome, State
from svc_auction.domain.closing import end
from svc_auction.domain.errors import (
    AuctionEnded,
    AuctionNotFound,
    AuctionNotLive,
    BidTooLow,
    BuyNowUnavailable,
    ConfirmLargeBid,
    CurrencyMismatch,
    MaximumNotRaised,
    OwnAuction,
)
from svc_auction.domain.events import AuctionEvent, AuctionExtended, BidPlaced
from svc_auction.domain.soft_close import extend
from svc_auction.domain.terms import BuyNowAvailability, Terms


@dataclass(frozen=True, slots=True)
class Bid:
    """A bidder's wish to pay up to ``maximum_minor``, in minor units of ``currency_code``.

    ``confirmed`` says that the bidder was asked about a large maximum; ``buys`` that they want to
    end the auction at once, at the buy-now price ``maximum_minor``.
    """

    request_id: str
    auction_id: str
    bidder_id: str
    currency_code: str
    maximum_minor: int
    confirmed: bool = False
    buys: bool = False


def buy_now_minor(terms: Terms, book: Book) -> int | None:
    """Return the price at which an open auction can be bought at once; None if it cannot."""
    if terms.buy_now is None:
        return None
    price_minor = terms.buy_now.price_minor
    if book.bid_count and book.price_minor >= price_minor:
        return None
    return price_minor


def check_open(terms: Terms, book: Book, bid: Bid, now: datetime) -> None:
    """Raise the reason for which nobody, or not the bidder, can bid on the auction at ``now``."""
    if book.state is State.LIVE:
        if book.ends_at is not None and now >= book.ends_at:
            raise AuctionEnded
    elif book.state is State.QUEUED and not terms.format.falls:
        pass
    elif book.state is State.ENDED:
        raise AuctionEnded
    elif book.state is State.DRAFT and bid.bidder_id != terms.seller_id:
        raise AuctionNotFound
    else:
        raise AuctionNotLive(state=book.state.name)
    if bid.bidder_id == terms.seller_id:
        raise OwnAuction
    if bid.currency_code != terms.currency_code:
        raise CurrencyMismatch(currency_code=terms.currency_code)


def check_amount(terms: Terms, book: Book, bid: Bid, now: datetime, *, own_minor: int) -> None:
    """Raise the reason for which the amount is refused.

    ``own_minor`` is the bidder's maximum that the book counts already: the leader's, or anyone's in
    a sealed auction; 0 otherwise.
    """
    if bid.buys:
        price_minor = buy_now_minor(terms, book)
        if price_minor is None:
            raise BuyNowUnavailable
        if bid.maximum_minor != price_minor:
            raise BuyNowUnavailable(price_minor=price_minor)
        return
    if own_minor and bid.maximum_minor <= own_minor:
        raise MaximumNotRaised(maximum_minor=own_minor)
    asking_minor = terms.format.asking_minor(terms, book, now)
    if bid.maximum_minor < asking_minor and not buys_at_once(terms, bid):
        raise BidTooLow(minimum_minor=asking_minor)
    factor = terms.confirm_above_factor
    if factor and not bid.confirmed:
        price_minor = min(asking_minor, terms.format.shown_price_minor(terms, book.price_minor))
        if bid.maximum_minor > factor * price_minor:
            raise ConfirmLargeBid(price_minor=price_minor)


def buys_at_once(terms: Terms, bid: Bid) -> bool:
    """Say whether an acceptable bid is a purchase at the buy-now price."""
    buy_now = terms.buy_now
    return bid.buys or (
        buy_now is not None
        and buy_now.availability is BuyNowAvailability.WHOLE_AUCTION
        and bid.maximum_minor >= buy_now.price_minor
    )


def due_minor(terms: Terms, book: Book, bid: Bid, now: datetime) -> int:
    """Return what an acceptable bid must be funded for: its maximum, or the price that it takes."""
    if terms.format.falls:
        return terms.format.asking_minor(terms, book, now)
    if terms.buy_now is not None and buys_at_once(terms, bid):
        return terms.buy_now.price_minor
    return bid.maximum_minor


def accept_bid(
    terms: Terms, book: Book, bid: Bid, now: datetime
) -> tuple[BidPlaced, AuctionEvent | None]:
    """Enter an acceptable bid, and return it with what it caused: a later end, or the end."""
    leader_before = book.leader_id
    bought = buys_at_once(terms, bid)
    if bought and terms.buy_now is not None:
        book.leader_id = bid.bidder_id
        book.price_minor = book.leader_maximum_minor = terms.buy_now.price_minor
    else:
        terms.format.enter(terms, book, bid.bidder_id, bid.maximum_minor, now)
    book.bid_count += 1
    won = bought or terms.format.falls
    extended = not won and extend(terms, book, now)
    outbid_id = leader_before if leader_before != book.leader_id else None
    placed = _record(book, bid, now, outbid_id=outbid_id, won=won)
    if won:
        return placed, end(book, Outcome.BOUGHT_NOW if bought else Outcome.SOLD, now)
    if extended and book.ends_at is not None:
        return placed, AuctionExtended(
            sequence=book.next_sequence(),
            occurred_at=now,
            ends_at=book.ends_at,
            extension_count=book.extension_count,
        )
    return placed, None


def _record(book: Book, bid: Bid, now: datetime, *, outbid_id: str | None, won: bool) -> BidPlaced:
    sequence = book.next_sequence()
    bid_id, salt = new_id(), new_salt()
    book.log_head = record_hash(
        previous=book.log_head,
        auction_id=book.auction_id,
        sequence=sequence,
        bid_id=bid_id,
        bidder_id=bid.bidder_id,
        maximum_minor=bid.maximum_minor,
        price_minor=book.price_minor,
        placed_at=now,
        salt=salt,
    )
    return BidPlaced(
        sequence=sequence,
        occurred_at=now,
        bid_id=bid_id,
        request_id=bid.request_id,
        bidder_id=bid.bidder_id,
        maximum_minor=bid.maximum_minor,
        price_minor=book.price_minor,
        leader_id=book.leader_id or bid.bidder_id,
        outbid_id=outbid_id,
        bid_count=book.bid_count,
        ends_at=now if won else book.ends_at,
        record_hash=book.log_head,
        won=won,
        salt=salt,
    )
