"""The rules of an English auction with maximum bids.

A bid is a maximum. The leader has the highest, the earlier of two equal ones; the price is one step
above the second-highest maximum, and never above the highest. A maximum can be raised, never taken
back.
"""

from dataclasses import dataclass
from datetime import datetime

from kernel.ids import new_id
from svc_auction.domain.auction import Book, State, Terms
from svc_auction.domain.bid_log import record_hash
from svc_auction.domain.errors import (
    AuctionEnded,
    AuctionNotFound,
    AuctionNotLive,
    BidTooLow,
    CurrencyMismatch,
    MaximumNotRaised,
    OwnAuction,
)
from svc_auction.domain.events import AuctionExtended, BidPlaced


@dataclass(frozen=True, slots=True)
class Bid:
    """A bidder's wish to pay up to ``maximum_minor``, in minor units of ``currency_code``."""

    request_id: str
    auction_id: str
    bidder_id: str
    currency_code: str
    maximum_minor: int


def minimum_next_bid_minor(terms: Terms, book: Book) -> int:
    """Return the least maximum that is accepted next, in minor units."""
    if book.bid_count == 0:
        return terms.opening_minor
    return book.price_minor + terms.ladder.step_minor(book.price_minor)


def check_bid(terms: Terms, book: Book, bid: Bid, now: datetime) -> None:
    """Raise the reason for which ``bid`` is refused at ``now``, whatever its funding."""
    if book.state is not State.LIVE:
        if book.state is State.ENDED:
            raise AuctionEnded
        if book.state is State.DRAFT and bid.bidder_id != terms.seller_id:
            raise AuctionNotFound
        raise AuctionNotLive(state=book.state.name)
    if book.ends_at is not None and now >= book.ends_at:
        raise AuctionEnded
    if bid.bidder_id == terms.seller_id:
        raise OwnAuction
    if bid.currency_code != terms.currency_code:
        raise CurrencyMismatch(currency_code=terms.currency_code)
    if bid.bidder_id == book.leader_id and bid.maximum_minor <= book.leader_maximum_minor:
        raise MaximumNotRaised(maximum_minor=book.leader_maximum_minor)
    minimum_minor = minimum_next_bid_minor(terms, book)
    if bid.maximum_minor < minimum_minor:
        raise BidTooLow(minimum_minor=minimum_minor)


def accept_bid(
    terms: Terms, book: Book, bid: Bid, now: datetime
) -> tuple[BidPlaced, AuctionExtended | None]:
    """Enter a bid that ``check_bid`` let pass, and return what happened."""
    outbid_id = None
    if book.leader_id is None:
        _lead(book, bid)
    elif bid.bidder_id == book.leader_id:
        book.leader_maximum_minor = bid.maximum_minor
    elif bid.maximum_minor > book.leader_maximum_minor:
        outbid_id, second_minor = book.leader_id, book.leader_maximum_minor
        _lead(book, bid)
        _raise_price(terms, book, second_minor)
    else:
        _raise_price(terms, book, bid.maximum_minor)
    if terms.reserve_minor is not None and book.leader_maximum_minor >= terms.reserve_minor:
        book.price_minor = max(book.price_minor, terms.reserve_minor)
    book.bid_count += 1
    extended = _extends(terms, book, now)
    return _record(book, bid, now, outbid_id), (
        AuctionExtended(
            sequence=book.next_sequence(),
            occurred_at=now,
            ends_at=book.ends_at or now,
            extension_count=book.extension_count,
        )
        if extended
        else None
    )


def _lead(book: Book, bid: Bid) -> None:
    book.leader_id = bid.bidder_id
    book.leader_maximum_minor = bid.maximum_minor


def _raise_price(terms: Terms, book: Book, second_minor: int) -> None:
    wanted_minor = second_minor + terms.ladder.step_minor(second_minor)
    book.price_minor = max(book.price_minor, min(book.leader_maximum_minor, wanted_minor))


def _extends(terms: Terms, book: Book, now: datetime) -> bool:
    """Move the end if the bid is late; the end never moves back."""
    soft_close = terms.soft_close
    if soft_close is None or book.ends_at is None:
        return False
    if book.ends_at - now >= soft_close.extend_within:
        return False
    ends_at = now + soft_close.extend_by
    if book.extension_count >= soft_close.extensions_max or ends_at <= book.ends_at:
        return False
    book.ends_at = ends_at
    book.extension_count += 1
    return True


def _record(book: Book, bid: Bid, now: datetime, outbid_id: str | None) -> BidPlaced:
    sequence = book.next_sequence()
    bid_id = new_id()
    book.log_head = record_hash(
        previous=book.log_head,
        auction_id=book.auction_id,
        sequence=sequence,
        bid_id=bid_id,
        bidder_id=bid.bidder_id,
        maximum_minor=bid.maximum_minor,
        price_minor=book.price_minor,
        placed_at=now,
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
        ends_at=book.ends_at or now,
        record_hash=book.log_head,
    )
