"""Decide a batch of bids in arrival order: the pure heart of the bid lane."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from kernel.errors import BlytzError, RequestIdReused
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid, accept_bid, check_amount, check_open, due_minor
from svc_auction.domain.book import Book
from svc_auction.domain.errors import (
    AuctionNotFound,
    BidderBlocked,
    BidderLimitExceeded,
    CardMissing,
    InsufficientFunds,
    LinkedAccount,
)
from svc_auction.domain.events import AuctionEvent
from svc_auction.domain.terms import Funding, Terms

PowerKey = tuple[str, str]
"""A bidder's id and a currency code."""
BidderKey = tuple[str, str]
"""The id of an auction, a seller or a show, and a bidder's id."""


class Bar(Enum):
    """Why a seller's auctions are closed to a bidder."""

    BLOCKED = 1
    LINKED = 2


@dataclass(slots=True)
class Power:
    """A bidder's spending row on a shard, in minor units; ``held`` never exceeds ``allotted``."""

    allotted_minor: int
    held_minor: int


@dataclass(slots=True)
class Bench:
    """All that a batch is decided on, as it is locked in one transaction.

    ``recorded`` are bids that were accepted earlier, by bidder and request id. ``bars`` are by
    seller and bidder. ``sealed_minor`` are the maxima in sealed auctions, by auction and bidder.
    ``committed_minor`` is what bidders are committed to in shows with a limit, by show and bidder.
    """

    now: datetime
    terms: dict[str, Terms]
    books: dict[str, Book]
    power: dict[PowerKey, Power]
    recorded: dict[tuple[str, str], PlacedBid] = field(default_factory=dict)
    bars: dict[BidderKey, Bar] = field(default_factory=dict)
    sealed_minor: dict[BidderKey, int] = field(default_factory=dict)
    card_holders: set[str] = field(default_factory=set)
    committed_minor: dict[BidderKey, int] = field(default_factory=dict)


@dataclass(slots=True)
class Decisions:
    """What a batch came to: a verdict a bid, and all that has to be written.

    ``verdicts`` stand in the order of the bids: the placed bid, or why it was refused.
    ``leaders_before`` led the changed auctions before the batch. ``won`` are auctions that a bid
    ended and that are paid from power.
    """

    verdicts: list[PlacedBid | BlytzError] = field(default_factory=list)
    placed: list[tuple[PlacedBid, AuctionEvent | None]] = field(default_factory=list)
    books_changed: dict[str, Book] = field(default_factory=dict)
    leaders_before: dict[str, str | None] = field(default_factory=dict)
    power_changed: dict[PowerKey, Power] = field(default_factory=dict)
    sealed_changed: dict[BidderKey, PlacedBid] = field(default_factory=dict)
    won: list[tuple[Book, Terms]] = field(default_factory=list)


def decide_bids(bids: Sequence[Bid], bench: Bench) -> Decisions:
    """Run the rules bid by bid; accepted bids change the bench's books and power."""
    decisions = Decisions()
    for bid in bids:
        key = (bid.bidder_id, bid.request_id)
        earlier = bench.recorded.get(key)
        try:
            if earlier is None:
                verdict = _place(bid, bench, decisions)
                bench.recorded[key] = verdict
            else:
                verdict = _replay(bid, earlier)
        except BlytzError as refusal:
            decisions.verdicts.append(refusal)
        else:
            decisions.verdicts.append(verdict)
    return decisions


def _replay(bid: Bid, earlier: PlacedBid) -> PlacedBid:
    same = (
        earlier.auction_id == bid.auction_id
        and earlier.event.maximum_minor == bid.maximum_minor
        and earlier.terms.currency_code == bid.currency_code
        and (earlier.event.won or not bid.buys)
    )
    if not same:
        raise RequestIdReused
    return earlier


def _place(bid: Bid, bench: Bench, decisions: Decisions) -> PlacedBid:
    book = bench.books.get(bid.auction_id)
    if book is None:
        raise AuctionNotFound
    terms = bench.terms[bid.auction_id]
    own_minor = _own_minor(terms, book, bid, bench)
    _check(bid, terms, book, bench, own_minor=own_minor)
    leader_before, maximum_before_minor = book.leader_id, book.leader_maximum_minor
    decisions.leaders_before.setdefault(bid.auction_id, leader_before)
    event, follow_up = accept_bid(terms, book, bid, bench.now)
    placed = PlacedBid(bid.auction_id, book.epoch, terms, event)
    decisions.placed.append((placed, follow_up))
    decisions.books_changed[bid.auction_id] = book
    if terms.format.sealed:
        _commit(terms, bid.bidder_id, bid.maximum_minor - own_minor, bench, decisions)
        bench.sealed_minor[bid.auction_id, bid.bidder_id] = bid.maximum_minor
        decisions.sealed_changed[bid.auction_id, bid.bidder_id] = placed
        return placed
    if not event.won and maximum_before_minor == book.leader_maximum_minor:
        return placed
    if leader_before is not None:
        _commit(terms, leader_before, -maximum_before_minor, bench, decisions)
    if event.won:
        _take(terms, book, bench, decisions)
    else:
        _commit(terms, event.leader_id, book.leader_maximum_minor, bench, decisions)
        if terms.funding is Funding.WALLET_HOLD:
            book.held_minor = book.leader_maximum_minor
    return placed


def _check(bid: Bid, terms: Terms, book: Book, bench: Bench, *, own_minor: int) -> None:
    """Raise the reason for which a bid is refused."""
    check_open(terms, book, bid, bench.now)
    if bench.bars:
        _check_bars(terms, bid, bench)
    check_amount(terms, book, bid, bench.now, own_minor=own_minor)
    needed_minor = due_minor(terms, book, bid, bench.now)
    if terms.bidder_limit_minor is not None:
        _check_limit(terms, bid, needed_minor, own_minor, bench)
    if terms.funding is Funding.WALLET_HOLD:
        _check_funds(bid, needed_minor, own_minor, bench)
    elif terms.funding is Funding.SAVED_CARD and bid.bidder_id not in bench.card_holders:
        raise CardMissing


def _own_minor(terms: Terms, book: Book, bid: Bid, bench: Bench) -> int:
    """Return the bidder's maximum that counts already: it is committed, and can only be raised."""
    if terms.format.sealed:
        return bench.sealed_minor.get((bid.auction_id, bid.bidder_id), 0)
    return book.leader_maximum_minor if bid.bidder_id == book.leader_id else 0


def _check_bars(terms: Terms, bid: Bid, bench: Bench) -> None:
    bar = bench.bars.get((terms.seller_id, bid.bidder_id))
    if bar is Bar.BLOCKED:
        raise BidderBlocked
    if bar is Bar.LINKED:
        raise LinkedAccount


def _check_limit(terms: Terms, bid: Bid, needed_minor: int, own_minor: int, bench: Bench) -> None:
    limit_minor = terms.bidder_limit_minor or 0
    committed_minor = bench.committed_minor.get((terms.show_id or "", bid.bidder_id), 0)
    left_minor = max(0, limit_minor - committed_minor + own_minor)
    if needed_minor > left_minor:
        raise BidderLimitExceeded(limit_minor=limit_minor, left_minor=left_minor)


def _check_funds(bid: Bid, needed_minor: int, own_minor: int, bench: Bench) -> None:
    """Even a bid that turns out to lose must be funded: it moves the price that others pay."""
    power = bench.power.get((bid.bidder_id, bid.currency_code))
    free_minor = own_minor + (power.allotted_minor - power.held_minor if power else 0)
    if free_minor < needed_minor:
        raise InsufficientFunds(shortfall_minor=needed_minor - free_minor)


def _commit(
    terms: Terms, bidder_id: str, amount_minor: int, bench: Bench, decisions: Decisions
) -> None:
    """Commit a bidder to more, or to less: hold it, and count it against the show's limit."""
    if terms.funding is Funding.WALLET_HOLD:
        key = (bidder_id, terms.currency_code)
        power = bench.power[key]
        power.held_minor += amount_minor
        decisions.power_changed[key] = power
    if terms.bidder_limit_minor is not None:
        limited = (terms.show_id or "", bidder_id)
        before_minor = bench.committed_minor.get(limited, 0)
        bench.committed_minor[limited] = before_minor + amount_minor


def _take(terms: Terms, book: Book, bench: Bench, decisions: Decisions) -> None:
    """Have the winner of an auction that has just ended pay, out of their power if it is held."""
    winner_id = book.leader_id or ""
    if terms.funding is Funding.WALLET_HOLD:
        key = (winner_id, terms.currency_code)
        power = bench.power[key]
        power.allotted_minor -= book.price_minor
        decisions.power_changed[key] = power
        decisions.won.append((book, terms))
    if terms.bidder_limit_minor is not None:
        limited = (terms.show_id or "", winner_id)
        before_minor = bench.committed_minor.get(limited, 0)
        bench.committed_minor[limited] = before_minor + book.price_minor
