from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fakes.auction_books import ADA, AUCTION_ID, BOB, END, SELLER, START, soft_close, terms_of
from kernel.ids import new_id
from svc_auction.domain.book import Outcome, State
from svc_auction.domain.formats import (
    DUTCH,
    LIVE_LOT,
    SEALED_FIRST_PRICE,
    SEALED_SECOND_PRICE,
    SUDDEN_DEATH,
)
from svc_auction.domain.increments import LIVE_LADDER, Ladder, Step
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, FallingPrice, Funding, Terms
from svc_auction.infrastructure.rows import (
    LISTING_COLUMNS,
    TERMS_COLUMNS,
    terms_parameters,
    to_auction,
    to_bid_placed,
    to_terms,
)

COLUMNS = (
    "seller_id currency_code opening_minor reserve_minor prices_from_minor steps_minor "
    "extend_within_ms extend_by_ms extensions_max latest_end_after_ms funding format "
    "buy_now_minor buy_now_availability drop_minor drop_every_ms floor_minor "
    "confirm_above_factor lot_duration_ms show_id bidder_limit_minor"
).split()
"""The columns of ``select_terms`` after the auction's id."""
EVERYTHING = terms_of(
    currency_code="EUR",
    opening_minor=100,
    reserve_minor=500,
    ladder=Ladder([Step(0, 3), Step(100, 9)]),
    soft_close=soft_close(within_s=0.5, by_s=3_600, times=7, latest_s=86_400),
    funding=Funding.WALLET_HOLD,
    format=LIVE_LOT,
    buy_now=BuyNow(900, BuyNowAvailability.WHOLE_AUCTION),
    confirm_above_factor=10,
    lot_duration=timedelta(milliseconds=45_001),
    show_id=new_id(),
    bidder_limit_minor=5_000,
)
DUTCH_TERMS = terms_of(
    format=DUTCH,
    opening_minor=900,
    falling_price=FallingPrice(7, timedelta(milliseconds=1_500), 20),
)


def row_of(terms: Terms) -> tuple[Any, ...]:
    parameters = terms_parameters(terms)
    assert parameters.keys() == set(COLUMNS)
    assert len(COLUMNS) == TERMS_COLUMNS
    return tuple(parameters[name] for name in COLUMNS)


@pytest.mark.parametrize(
    "terms",
    [
        terms_of(),
        EVERYTHING,
        replace(EVERYTHING, reserve_minor=None),
        replace(EVERYTHING, soft_close=None),
        replace(EVERYTHING, soft_close=soft_close(latest_s=None)),
        replace(EVERYTHING, funding=Funding.SAVED_CARD),
        replace(EVERYTHING, buy_now=None),
        replace(EVERYTHING, buy_now=BuyNow(700, BuyNowAvailability.UNTIL_REACHED)),
        replace(EVERYTHING, confirm_above_factor=0),
        replace(EVERYTHING, lot_duration=None),
        replace(EVERYTHING, show_id=None, bidder_limit_minor=None),
        replace(EVERYTHING, bidder_limit_minor=None),
        DUTCH_TERMS,
        terms_of(format=SUDDEN_DEATH),
        terms_of(format=SEALED_FIRST_PRICE),
        terms_of(format=SEALED_SECOND_PRICE),
    ],
)
def test_terms_survive_their_columns(terms: Terms) -> None:
    found = to_terms(row_of(terms))
    assert found.ladder.steps == terms.ladder.steps
    assert replace(found, ladder=terms.ladder) == terms


def test_absent_terms_are_null_columns() -> None:
    parameters = terms_parameters(terms_of())
    given = {name for name, value in parameters.items() if value is not None}
    assert given == {
        "seller_id",
        "currency_code",
        "opening_minor",
        "prices_from_minor",
        "steps_minor",
        "funding",
        "format",
        "confirm_above_factor",
    }


def test_auctions_with_the_same_steps_share_a_ladder() -> None:
    row = row_of(terms_of(ladder=LIVE_LADDER))
    assert to_terms(row).ladder is to_terms(row).ladder


def test_a_row_of_the_view_is_a_whole_auction() -> None:
    changed_at, paused_at = START + timedelta(minutes=1), START + timedelta(minutes=2)
    listing = (AUCTION_ID, "Sue", "A watch", "It ticks.", "/w.jpg", START, 4, changed_at)
    assert len(listing) == LISTING_COLUMNS
    auction = to_auction(
        (
            *listing,
            *row_of(EVERYTHING),
            *(State.PAUSED, None, 1, 9, 950, ADA, 2_000, 1_999, 3, 1),
            *(START, END, END - timedelta(minutes=1), paused_at, timedelta(seconds=3)),
            *(END - timedelta(minutes=5), b"\x01" * 32),
        )
    )
    assert (auction.listing.title, auction.listing.image_url) == ("A watch", "/w.jpg")
    assert (auction.etag, auction.listing.description_changed_at) == ("4", changed_at)
    assert (auction.terms.seller_id, auction.terms.format) == (SELLER, LIVE_LOT)
    book = auction.book
    assert (book.auction_id, book.state, book.outcome) == (AUCTION_ID, State.PAUSED, None)
    assert (book.epoch, book.sequence, book.price_minor) == (1, 9, 950)
    assert (book.leader_id, book.leader_maximum_minor, book.held_minor) == (ADA, 2_000, 1_999)
    assert (book.bid_count, book.extension_count, book.log_head) == (3, 1, b"\x01" * 32)
    assert (book.starts_at, book.ends_at) == (START, END)
    assert book.announced_end_at == END - timedelta(minutes=1)
    assert (book.paused_at, book.paused_for) == (paused_at, timedelta(seconds=3))
    assert book.ending_soon_at == END - timedelta(minutes=5)


@pytest.mark.parametrize(("number", "outcome"), [(1, Outcome.SOLD), (5, Outcome.BOUGHT_NOW)])
def test_an_outcome_is_one_of_the_contracts(number: int, outcome: Outcome) -> None:
    times = (START, END, END, None, timedelta(0), None)
    auction = to_auction(
        (
            *(AUCTION_ID, "Sue", "A watch", "It ticks.", "", START, 1, None),
            *row_of(terms_of()),
            *(4, number, 1, 9, 950, ADA, 2_000, 0, 3, 1, *times, b""),
        )
    )
    assert (auction.book.state, auction.book.outcome) == (State.ENDED, outcome)


@pytest.mark.parametrize(("won", "retracted"), [(False, False), (True, False), (False, True)])
def test_a_record_of_the_log_is_a_bid(*, won: bool, retracted: bool) -> None:
    bid_id, request_id = new_id(), new_id()
    head = b"\x02" * 32
    bid = to_bid_placed(
        (
            *(AUCTION_ID, 7, 1, bid_id, ADA, request_id, 2_000, 950, BOB, 3),
            *(END, START, head, won, retracted),
        )
    )
    assert (bid.sequence, bid.bid_id, bid.request_id, bid.bid_count) == (7, bid_id, request_id, 3)
    assert (bid.bidder_id, bid.leader_id, bid.outbid_id) == (ADA, BOB, None)
    assert (bid.maximum_minor, bid.price_minor) == (2_000, 950)
    assert (bid.ends_at, bid.occurred_at, bid.record_hash) == (END, START, head)
    assert (bid.won, bid.retracted) == (won, retracted)
