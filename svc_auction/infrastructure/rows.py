"""Rows of a shard as domain objects, and back."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from svc_auction.domain.auction import Auction, Listing
from svc_auction.domain.book import Book, Outcome, State
from svc_auction.domain.events import BidPlaced
from svc_auction.domain.formats import format_of
from svc_auction.domain.increments import Ladder, Step
from svc_auction.domain.terms import (
    BuyNow,
    BuyNowAvailability,
    FallingPrice,
    Funding,
    SoftClose,
    Terms,
)

Row = tuple[Any, ...]

LISTING_COLUMNS = 8
"""How many columns of ``whole_auctions`` tell what is sold; the terms' follow."""
TERMS_COLUMNS = 21
"""How many columns tell the terms; the book's follow."""
_MILLISECOND = timedelta(milliseconds=1)


def to_book(row: Row) -> Book:
    """Return a book from the columns of ``lock_books``."""
    state, outcome = State(row[1]), row[2]
    return Book(row[0], state, None if outcome is None else Outcome(outcome), *row[3:])


def to_terms(row: Row) -> Terms:
    """Return the terms from the columns of ``select_terms`` after the auction's id."""
    (seller_id, currency_code, opening_minor, reserve_minor, prices_from_minor, steps_minor) = row[
        :6
    ]
    within_ms, by_ms, extensions_max, latest_after_ms, funding, format_number = row[6:12]
    buy_now_minor, availability, drop_minor, every_ms, floor_minor = row[12:17]
    confirm_above_factor, lot_duration_ms, show_id, bidder_limit_minor = row[17:]
    return Terms(
        seller_id=seller_id,
        currency_code=currency_code,
        opening_minor=opening_minor,
        reserve_minor=reserve_minor,
        ladder=_ladder(tuple(prices_from_minor), tuple(steps_minor)),
        soft_close=None
        if within_ms is None
        else SoftClose(
            _duration(within_ms), _duration(by_ms), extensions_max, _optional(latest_after_ms)
        ),
        funding=Funding(funding),
        format=format_of(format_number),
        buy_now=None
        if buy_now_minor is None
        else BuyNow(buy_now_minor, BuyNowAvailability(availability)),
        falling_price=None
        if drop_minor is None
        else FallingPrice(drop_minor, _duration(every_ms), floor_minor),
        confirm_above_factor=confirm_above_factor,
        lot_duration=_optional(lot_duration_ms),
        show_id=show_id,
        bidder_limit_minor=bidder_limit_minor,
    )


def _duration(milliseconds: int) -> timedelta:
    return milliseconds * _MILLISECOND


def _optional(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else milliseconds * _MILLISECOND


def to_auction(row: Row) -> Auction:
    """Return an auction from the columns of the view ``whole_auctions``."""
    terms_end = LISTING_COLUMNS + TERMS_COLUMNS
    return Auction(
        listing=Listing(*row[:LISTING_COLUMNS]),
        terms=to_terms(row[LISTING_COLUMNS:terms_end]),
        book=to_book((row[0], *row[terms_end:])),
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
        won=row[13],
        retracted=row[14],
    )


def terms_parameters(terms: Terms) -> dict[str, Any]:
    """Return the columns of ``auctions`` that hold the terms."""
    soft_close, buy_now, falling = terms.soft_close, terms.buy_now, terms.falling_price
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
        "latest_end_after_ms": soft_close and _milliseconds(soft_close.latest_end_after),
        "funding": terms.funding,
        "format": terms.format.number,
        "buy_now_minor": buy_now and buy_now.price_minor,
        "buy_now_availability": buy_now and buy_now.availability,
        "drop_minor": falling and falling.drop_minor,
        "drop_every_ms": falling and falling.every // _MILLISECOND,
        "floor_minor": falling and falling.floor_minor,
        "confirm_above_factor": terms.confirm_above_factor,
        "lot_duration_ms": _milliseconds(terms.lot_duration),
        "show_id": terms.show_id,
        "bidder_limit_minor": terms.bidder_limit_minor,
    }


def _milliseconds(duration: timedelta | None) -> int | None:
    return None if duration is None else duration // _MILLISECOND


@lru_cache(maxsize=1_000)
def _ladder(prices_from_minor: tuple[int, ...], steps_minor: tuple[int, ...]) -> Ladder:
    """Most auctions share the default ladder: one object for all of them."""
    return Ladder([Step(*step) for step in zip(prices_from_minor, steps_minor, strict=True)])
