"""The ways in which the demonstration sells: every format, and an offer to buy at once."""

from enum import Enum, auto

from google.protobuf.duration_pb2 import Duration

from blytz.auction.v1.auction_pb2 import (
    AuctionFormat,
    AuctionTerms,
    BuyNow,
    BuyNowAvailability,
    FallingPrice,
    FundingPolicy,
    SoftClose,
)
from blytz.common.v1.money_pb2 import Money
from stack.demo.lots import Lot

CURRENCY_CODE = "USD"
_SOFT_CLOSE_S = 10
_EXTENSIONS_MAX = 12
_CONFIRM_ABOVE_FACTOR = 50
_FALL_FROM, _FALL_TO = 1.4, 0.3
"""A falling price begins above what a thing is worth to most, and ends where everybody likes it."""
_FALLS = 24
_UNIT_MINOR = 1_00
_FALL_SHARE_OF_TIME = 0.8


class Style(Enum):
    """A way to sell."""

    ENGLISH = auto()
    DUTCH = auto()
    SEALED = auto()
    BUY_NOW = auto()
    VICKREY = auto()
    SUDDEN_DEATH = auto()
    LIVE_LOT = auto()


ROUND = (
    *(Style.ENGLISH, Style.ENGLISH, Style.DUTCH, Style.SEALED, Style.BUY_NOW),
    *(Style.SUDDEN_DEATH, Style.ENGLISH, Style.VICKREY),
)
"""The styles of the rooms, one after another."""
_FORMATS = {
    Style.ENGLISH: AuctionFormat.AUCTION_FORMAT_ENGLISH,
    Style.BUY_NOW: AuctionFormat.AUCTION_FORMAT_ENGLISH,
    Style.DUTCH: AuctionFormat.AUCTION_FORMAT_DUTCH,
    Style.SEALED: AuctionFormat.AUCTION_FORMAT_SEALED_FIRST_PRICE,
    Style.VICKREY: AuctionFormat.AUCTION_FORMAT_SEALED_SECOND_PRICE,
    Style.SUDDEN_DEATH: AuctionFormat.AUCTION_FORMAT_SUDDEN_DEATH,
    Style.LIVE_LOT: AuctionFormat.AUCTION_FORMAT_LIVE_LOT,
}
_WITH_SOFT_CLOSE = frozenset({Style.ENGLISH, Style.BUY_NOW, Style.LIVE_LOT})


def terms_of(lot: Lot, style: Style, *, lasts_s: float) -> AuctionTerms:
    """Return the rules under which a lot is sold; ``lasts_s`` is how long that takes, about."""
    terms = AuctionTerms(
        format=_FORMATS[style],
        opening_price=money(_opening_minor(lot, style)),
        funding_policy=FundingPolicy.FUNDING_POLICY_WALLET_HOLD,
        confirm_above_factor=0 if style is Style.DUTCH else _CONFIRM_ABOVE_FACTOR,
    )
    if style in _WITH_SOFT_CLOSE:
        terms.soft_close.CopyFrom(
            SoftClose(
                extend_within=Duration(seconds=_SOFT_CLOSE_S),
                extend_by=Duration(seconds=_SOFT_CLOSE_S),
                extensions_max=_EXTENSIONS_MAX,
            )
        )
    if style is Style.BUY_NOW:
        terms.buy_now.CopyFrom(
            BuyNow(
                price=money(max(lot.worth_minor, lot.reserve_minor or 0)),
                availability=BuyNowAvailability.BUY_NOW_AVAILABILITY_UNTIL_REACHED,
            )
        )
    if style is Style.DUTCH:
        terms.falling_price.CopyFrom(_fall(lot, lasts_s))
    return terms


def reserve_of(lot: Lot, style: Style) -> int | None:
    """Return the hidden reserve; a falling price has a floor instead."""
    return None if style is Style.DUTCH else lot.reserve_minor


def money(amount_minor: int) -> Money:
    """Return an amount of the demonstration's currency."""
    return Money(currency_code=CURRENCY_CODE, amount_minor=amount_minor)


def _opening_minor(lot: Lot, style: Style) -> int:
    return _round(lot.worth_minor * _FALL_FROM) if style is Style.DUTCH else lot.opening_minor


def _fall(lot: Lot, lasts_s: float) -> FallingPrice:
    every_s = max(1, int(lasts_s * _FALL_SHARE_OF_TIME / _FALLS))
    return FallingPrice(
        drop_minor=_round(lot.worth_minor * (_FALL_FROM - _FALL_TO) / _FALLS),
        every=Duration(seconds=every_s),
        floor_minor=_round(lot.worth_minor * _FALL_TO),
    )


def _round(amount_minor: float) -> int:
    """Return a whole number of units, one at least."""
    return max(1, round(amount_minor / _UNIT_MINOR)) * _UNIT_MINOR
