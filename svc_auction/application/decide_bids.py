"""Decide a batch of bids in arrival order: the pure heart of the bid lane."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kernel.errors import BlytzError, RequestIdReused
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.auction import Book, Funding, Terms
from svc_auction.domain.bidding import Bid, accept_bid, check_bid
from svc_auction.domain.errors import AuctionNotFound, InsufficientFunds
from svc_auction.domain.events import AuctionExtended

PowerKey = tuple[str, str]
"""A bidder's id and a currency code."""


@dataclass(slots=True)
class Power:
    """A bidder's spending row on a shard, in minor units; ``held`` never exceeds ``allotted``."""

    allotted_minor: int
    held_minor: int


@dataclass(slots=True)
class Bench:
    """All that a batch is decided on, as it is locked in one transaction.

    ``recorded`` are bids that were accepted earlier, by bidder and request id.
    """

    now: datetime
    terms: dict[str, Terms]
    books: dict[str, Book]
    power: dict[PowerKey, Power]
    recorded: dict[tuple[str, str], PlacedBid]


@dataclass(slots=True)
class Decisions:
    """What a batch came to: a verdict a bid, and all that has to be written.

    ``verdicts`` stand in the order of the bids: the placed bid, or why it was refused.
    """

    verdicts: list[PlacedBid | BlytzError] = field(default_factory=list)
    placed: list[tuple[PlacedBid, AuctionExtended | None]] = field(default_factory=list)
    books_changed: dict[str, Book] = field(default_factory=dict)
    power_changed: dict[PowerKey, Power] = field(default_factory=dict)


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
    )
    if not same:
        raise RequestIdReused
    return earlier


def _place(bid: Bid, bench: Bench, decisions: Decisions) -> PlacedBid:
    book = bench.books.get(bid.auction_id)
    if book is None:
        raise AuctionNotFound
    terms = bench.terms[bid.auction_id]
    check_bid(terms, book, bid, bench.now)
    if terms.funding is Funding.WALLET_HOLD:
        _check_funds(bid, book, bench)
    leader_before, held_before_minor = book.leader_id, book.held_minor
    event, extended = accept_bid(terms, book, bid, bench.now)
    if terms.funding is Funding.WALLET_HOLD and book.leader_maximum_minor != held_before_minor:
        if leader_before is not None:
            _hold(leader_before, -held_before_minor, terms, bench, decisions)
        book.held_minor = book.leader_maximum_minor
        _hold(event.leader_id, book.held_minor, terms, bench, decisions)
    placed = PlacedBid(bid.auction_id, book.epoch, terms, event)
    decisions.placed.append((placed, extended))
    decisions.books_changed[bid.auction_id] = book
    return placed


def _check_funds(bid: Bid, book: Book, bench: Bench) -> None:
    """Even a bid that turns out to lose must be funded: it moves the price that others pay."""
    power = bench.power.get((bid.bidder_id, bid.currency_code))
    free_minor = power.allotted_minor - power.held_minor if power else 0
    if bid.bidder_id == book.leader_id:
        free_minor += book.held_minor
    if free_minor < bid.maximum_minor:
        raise InsufficientFunds(shortfall_minor=bid.maximum_minor - free_minor)


def _hold(
    bidder_id: str, amount_minor: int, terms: Terms, bench: Bench, decisions: Decisions
) -> None:
    key = (bidder_id, terms.currency_code)
    power = bench.power[key]
    power.held_minor += amount_minor
    decisions.power_changed[key] = power
