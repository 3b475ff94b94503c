from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from blytz.auction.v1 import auction_pb2
from blytz.common.v1.money_pb2 import Money
from fakes.auction_books import SELLER, soft_close, terms_of
from kernel.ids import new_id
from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.formats import (
    DUTCH,
    ENGLISH,
    LIVE_LOT,
    SEALED_FIRST_PRICE,
    SEALED_SECOND_PRICE,
    SUDDEN_DEATH,
)
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.increments import DEFAULT_LADDER, LIVE_LADDER, Ladder, Step
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, FallingPrice, Funding, Terms
from svc_auction.infrastructure.terms_mapping import terms_message, to_terms

EVERYTHING = terms_of(
    opening_minor=99,
    reserve_minor=500,
    ladder=Ladder([Step(0, 3), Step(100, 9)]),
    soft_close=soft_close(within_s=1.5, by_s=3_600, times=7, latest_s=86_400),
    funding=Funding.SAVED_CARD,
    format=LIVE_LOT,
    buy_now=BuyNow(900, BuyNowAvailability.WHOLE_AUCTION),
    confirm_above_factor=10,
    lot_duration=timedelta(milliseconds=45_001),
)
FALLING = FallingPrice(7, timedelta(milliseconds=1_500), 20)
FORMATS = {
    auction_pb2.AUCTION_FORMAT_ENGLISH: (ENGLISH, DEFAULT_LADDER),
    auction_pb2.AUCTION_FORMAT_LIVE_LOT: (LIVE_LOT, LIVE_LADDER),
    auction_pb2.AUCTION_FORMAT_SUDDEN_DEATH: (SUDDEN_DEATH, LIVE_LADDER),
    auction_pb2.AUCTION_FORMAT_DUTCH: (DUTCH, DEFAULT_LADDER),
    auction_pb2.AUCTION_FORMAT_SEALED_FIRST_PRICE: (SEALED_FIRST_PRICE, DEFAULT_LADDER),
    auction_pb2.AUCTION_FORMAT_SEALED_SECOND_PRICE: (SEALED_SECOND_PRICE, DEFAULT_LADDER),
}


def usd(amount_minor: int, currency_code: str = "USD") -> Money:
    return Money(currency_code=currency_code, amount_minor=amount_minor)


def message_of(**changes: Any) -> auction_pb2.AuctionTerms:
    fields: dict[str, Any] = {
        "format": auction_pb2.AUCTION_FORMAT_ENGLISH,
        "opening_price": usd(99),
        "funding_policy": auction_pb2.FUNDING_POLICY_WALLET_HOLD,
    }
    return auction_pb2.AuctionTerms(**fields | changes)


def understood(message: auction_pb2.AuctionTerms, reserve: Money | None = None) -> Terms:
    return to_terms(message, seller_id=SELLER, reserve=reserve)


@pytest.mark.parametrize(
    "terms",
    [
        EVERYTHING,
        replace(EVERYTHING, soft_close=None),
        replace(EVERYTHING, soft_close=soft_close(latest_s=None)),
        replace(EVERYTHING, buy_now=None),
        replace(EVERYTHING, buy_now=BuyNow(700, BuyNowAvailability.UNTIL_REACHED)),
        replace(EVERYTHING, lot_duration=None, confirm_above_factor=0),
        replace(EVERYTHING, funding=Funding.WALLET_HOLD, format=ENGLISH),
        terms_of(format=SEALED_FIRST_PRICE, reserve_minor=500),
    ],
)
def test_terms_survive_but_for_the_reserve(terms: Terms) -> None:
    message = terms_message(terms)
    sent = auction_pb2.AuctionTerms.FromString(message.SerializeToString())
    found = understood(sent, usd(500))
    assert found.ladder.steps == terms.ladder.steps
    assert replace(found, ladder=terms.ladder) == terms
    assert replace(understood(sent), ladder=terms.ladder) == replace(terms, reserve_minor=None)


def test_a_falling_price_survives() -> None:
    terms = terms_of(format=DUTCH, opening_minor=900, falling_price=FALLING)
    found = understood(terms_message(terms))
    assert (found.format, found.falling_price) == (DUTCH, FALLING)


def test_the_show_and_its_limit_are_not_the_sellers_to_send() -> None:
    lot = EVERYTHING.as_lot_of(new_id(), bidder_limit_minor=5_000)
    found = understood(terms_message(lot), usd(500))
    assert (found.show_id, found.bidder_limit_minor) == (None, None)


def test_the_reserve_stands_nowhere_in_the_terms() -> None:
    shown = terms_message(terms_of(reserve_minor=123_457)).SerializeToString(deterministic=True)
    assert shown == terms_message(terms_of(reserve_minor=None)).SerializeToString(
        deterministic=True
    )


@pytest.mark.parametrize("number", FORMATS)
def test_every_format_has_its_number_and_its_ladder(
    number: auction_pb2.AuctionFormat.ValueType,
) -> None:
    falling = auction_pb2.FallingPrice(drop_minor=1, every=Duration(seconds=1), floor_minor=1)
    more = {"falling_price": falling} if number == auction_pb2.AUCTION_FORMAT_DUTCH else {}
    terms = understood(message_of(format=number, **more))
    format_: Format
    format_, ladder = FORMATS[number]
    assert terms.format is format_
    assert terms.ladder is ladder
    assert terms_message(terms).format == number


def test_every_format_of_the_contract_is_served() -> None:
    assert set(FORMATS) == set(auction_pb2.AuctionFormat.values()) - {0}


def test_a_format_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TermsInvalid, match="no format 99"):
        understood(message_of(format=99))


def test_one_row_is_a_fixed_step() -> None:
    step = auction_pb2.IncrementStep(price_from_minor=0, step_minor=7)
    terms = understood(message_of(increments=[step]))
    assert terms.ladder.steps == (Step(0, 7),)


def test_what_is_absent_stays_absent() -> None:
    terms = understood(message_of())
    assert (terms.reserve_minor, terms.soft_close, terms.buy_now) == (None, None, None)
    assert (terms.falling_price, terms.lot_duration, terms.show_id) == (None, None, None)
    assert terms.confirm_above_factor == 0


@pytest.mark.parametrize(
    ("reserve", "problem"),
    [
        (usd(500, "EUR"), "the reserve is not in USD"),
        (usd(98), "below the opening"),
        (usd(-1), "below the opening"),
    ],
)
def test_a_reserve_that_does_not_fit_is_refused(reserve: Money, problem: str) -> None:
    with pytest.raises(TermsInvalid, match=problem):
        understood(message_of(), reserve)


def test_a_buy_now_price_in_another_currency_is_refused() -> None:
    buy_now = auction_pb2.BuyNow(
        price=usd(500, "EUR"), availability=auction_pb2.BUY_NOW_AVAILABILITY_UNTIL_REACHED
    )
    with pytest.raises(TermsInvalid, match="the buy-now price is not in USD"):
        understood(message_of(buy_now=buy_now))


def test_a_ladder_that_does_not_start_at_nothing_is_refused() -> None:
    steps = [auction_pb2.IncrementStep(price_from_minor=5, step_minor=1)]
    with pytest.raises(TermsInvalid, match="start at a price of 0"):
        understood(message_of(increments=steps))


def test_durations_are_whole_milliseconds() -> None:
    odd = Duration(seconds=2, nanos=1_999_999)
    message = message_of(
        soft_close=auction_pb2.SoftClose(
            extend_within=odd, extend_by=odd, extensions_max=1, latest_end_after=odd
        ),
        lot_duration=odd,
    )
    terms, kept = understood(message), timedelta(milliseconds=2_001)
    assert terms.lot_duration == kept
    assert terms.soft_close is not None
    assert terms.soft_close.extend_within == terms.soft_close.extend_by == kept
    assert terms.soft_close.latest_end_after == kept
