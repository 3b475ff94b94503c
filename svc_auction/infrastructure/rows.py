"""Rows of a shard as domain objects, and back."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from svc_auction.domain.auction import (
    Auction,
    Book,
    Funding,
    Listing,
    Outcome,
    SoftClose,
    State,
    Terms,
)
from svc_auction.domain.events import BidPlaced
from svc_auction.domain.increments import Ladder, Step

Row = tuple[Any, ...]

_MILLISECOND = timedelta(milliseconds=1)


def to_book(row: Row) -> Book:
    """Return a book from the columns of ``lock_books``."""
    state, outcome = State(row[1]), row[2]
    return Book(row[0], state, None if outcome is None else Outcome(outcome), *row[3:])


def to_terms(row: Row) -> Terms:
    """Return the terms from the columns of ``select_terms`` after the auction's id."""
    within_ms, by_ms, extensions_max = row[6:9]
    return Terms(
        seller_id=row[0],
        currency_code=row[1],
        opening_minor=row[2],
        reserve_minor=row[3],
        ladder=_ladder(tuple(row[4]), tuple(row[5])),
        soft_close=None
        if within_ms is None
        else SoftClose(within_ms * _MILLISECOND, by_ms * _MILLISECOND, extensions_max),
        funding=Funding(row[9]),
    )


def to_auction(row: Row) -> Auction:
    """Return an auction from the columns of the view ``whole_auctions``."""
    return Auction(
        listing=Listing(*row[:6]),
        terms=to_terms(row[6:16]),
        book=to_book((row[0], *row[16:])),
    )


def to_bid_placed(row: Row) -> BidPlaced:
    """Return a record of the bid log from the columns of ``list_bids``."""
    return BidPlaced(
        sequence=row[1],
        bid_id=row[3],
        bidder_id=row[4],
        request_id=row[5],
        maximum_minor=row[6],
        price_minor=row[7],
        leader_id=row[8],
        outbid_id=None,
        bid_count=row[9],
        ends_at=row[10],
        occurred_at=row[11],
        record_hash=row[12],
    )


def terms_parameters(terms: Terms) -> dict[str, Any]:
    """Return the columns of ``auctions`` that hold the terms."""
    soft_close = terms.soft_close
    return {
        "seller_id": terms.seller_id,
        "currency_code": terms.currency_code,
        "opening_minor": terms.opening_minor,
        "reserve_minor": terms.reserve_minor,
        "prices_from_minor": [step.price_from_minor for step in terms.ladder.steps],
        "steps_minor": [step.step_minor for step in terms.ladder.steps],
        "extend_within_ms": soft_close and soft_close.extend_within // _MILLISECOND,
        "extend_by_ms": soft_close and soft_close.extend_by // _MILLISECOND,
        "extensions_max": soft_close and soft_close.extensions_max,
        "funding": terms.funding,
    }


@lru_cache(maxsize=1_000)
def _ladder(prices_from_minor: tuple[int, ...], steps_minor: tuple[int, ...]) -> Ladder:
    """Most auctions share the default ladder: one object for all of them."""
    return Ladder([Step(*step) for step in zip(prices_from_minor, steps_minor, strict=True)])
