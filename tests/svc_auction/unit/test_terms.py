"""Terms that contradict each other, and those that just do not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.auction_books import soft_close, terms_of
from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.formats import (
    DUTCH,
    ENGLISH,
    LIVE_LOT,
    SEALED_FIRST_PRICE,
    SEALED_SECOND_PRICE,
    SUDDEN_DEATH,
    format_of,
)
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.increments import DEFAULT_LADDER, LIVE_LADDER, Ladder
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, FallingPrice

ASCENDING: list[Format] = [ENGLISH, LIVE_LOT, SUDDEN_DEATH]
SEALED: list[Format] = [SEALED_FIRST_PRICE, SEALED_SECOND_PRICE]
FALLING = FallingPrice(drop_minor=5_00, every=timedelta(seconds=10), floor_minor=100_00)
DUTCH_TERMS = terms_of(format=DUTCH, opening_minor=100_00, falling_price=FALLING)
UNTIL_REACHED = BuyNowAvailability.UNTIL_REACHED


def test_a_reserve_is_not_below_the_opening_price() -> None:
    terms_of(opening_minor=100, reserve_minor=100)
    with pytest.raises(TermsInvalid, match="the reserve is below the opening price"):
        terms_of(opening_minor=100, reserve_minor=99)


@pytest.mark.parametrize("availability", BuyNowAvailability)
@pytest.mark.parametrize(("reserve_minor", "least_minor"), [(None, 100), (250, 250)])
def test_a_buy_now_price_is_not_below_the_reserve_or_the_opening(
    reserve_minor: int | None, least_minor: int, availability: BuyNowAvailability
) -> None:
    terms = terms_of(opening_minor=100, reserve_minor=reserve_minor)
    replace(terms, buy_now=BuyNow(least_minor, availability))
    with pytest.raises(TermsInvalid, match="buy-now price is below"):
        replace(terms, buy_now=BuyNow(least_minor - 1, availability))


@pytest.mark.parametrize("format_", ASCENDING)
def test_ascending_auctions_can_be_bought_at_once(format_: Format) -> None:
    assert terms_of(format=format_, buy_now=BuyNow(9_00, UNTIL_REACHED)).buy_now is not None


@pytest.mark.parametrize("format_", SEALED)
def test_sealed_auctions_cannot_be_bought_at_once(format_: Format) -> None:
    with pytest.raises(TermsInvalid, match="cannot be bought at once"):
        terms_of(format=format_, buy_now=BuyNow(9_00, UNTIL_REACHED))


def test_a_dutch_auction_cannot_be_bought_at_another_price() -> None:
    with pytest.raises(TermsInvalid, match="cannot be bought at once"):
        replace(DUTCH_TERMS, buy_now=BuyNow(100_00, UNTIL_REACHED))


@pytest.mark.parametrize("format_", ASCENDING + SEALED)
def test_no_other_price_falls(format_: Format) -> None:
    with pytest.raises(TermsInvalid, match="only the price of a Dutch auction falls"):
        terms_of(format=format_, opening_minor=100_00, falling_price=FALLING)


def test_a_dutch_auction_needs_its_schedule() -> None:
    with pytest.raises(TermsInvalid, match="how its price falls"):
        replace(DUTCH_TERMS, falling_price=None)


def test_a_floor_is_not_above_the_opening_price() -> None:
    assert DUTCH_TERMS.falling_price is not None
    assert DUTCH_TERMS.falling_price.floor_minor == DUTCH_TERMS.opening_minor
    with pytest.raises(TermsInvalid, match="fall to more than the opening price"):
        replace(DUTCH_TERMS, falling_price=replace(FALLING, floor_minor=100_01))


def test_a_dutch_auction_has_no_reserve() -> None:
    with pytest.raises(TermsInvalid, match="a floor instead of a reserve"):
        replace(DUTCH_TERMS, reserve_minor=100_00)


@pytest.mark.parametrize("format_", [SUDDEN_DEATH, *SEALED])
def test_an_end_that_never_moves_has_no_soft_close(format_: Format) -> None:
    with pytest.raises(TermsInvalid, match="never moves"):
        terms_of(format=format_, soft_close=soft_close())


def test_a_dutch_auction_has_no_soft_close() -> None:
    with pytest.raises(TermsInvalid, match="never moves"):
        replace(DUTCH_TERMS, soft_close=soft_close())


@pytest.mark.parametrize("format_", [ENGLISH, LIVE_LOT])
def test_the_end_of_the_others_may_move(format_: Format) -> None:
    assert terms_of(format=format_, soft_close=soft_close()).soft_close == soft_close()


def test_a_confirmation_factor_is_two_or_more() -> None:
    assert [terms_of(confirm_above_factor=n).confirm_above_factor for n in (0, 2)] == [0, 2]
    with pytest.raises(TermsInvalid, match="2 or more"):
        terms_of(confirm_above_factor=1)


def test_a_lot_of_a_show_is_bound_to_it() -> None:
    lot = DUTCH_TERMS.as_lot_of("a show", bidder_limit_minor=7)
    assert (lot.show_id, lot.bidder_limit_minor) == ("a show", 7)
    assert replace(lot, show_id=None, bidder_limit_minor=None) == DUTCH_TERMS


@pytest.mark.parametrize(
    ("number", "format_", "ladder"),
    [
        (1, ENGLISH, DEFAULT_LADDER),
        (2, LIVE_LOT, LIVE_LADDER),
        (3, SUDDEN_DEATH, LIVE_LADDER),
        (4, DUTCH, DEFAULT_LADDER),
        (5, SEALED_FIRST_PRICE, DEFAULT_LADDER),
        (6, SEALED_SECOND_PRICE, DEFAULT_LADDER),
    ],
)
def test_every_format_is_found_by_its_number(number: int, format_: Format, ladder: Ladder) -> None:
    assert format_of(number) is format_
    assert (format_.number, format_.ladder) == (number, ladder)
    assert format_.sealed is (format_ in SEALED)
    assert format_.falls is (format_ is DUTCH)


@pytest.mark.parametrize("number", [0, 7, -1])
def test_there_is_no_other_format(number: int) -> None:
    with pytest.raises(TermsInvalid, match=f"no format {number}"):
        format_of(number)
