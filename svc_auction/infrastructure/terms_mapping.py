"""The terms of an auction as the contract's message, and back."""

from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from blytz.auction.v1 import auction_pb2
from blytz.common.v1.money_pb2 import Money
from svc_auction.domain.errors import TermsInvalid
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

_MILLISECOND = timedelta(milliseconds=1)


def to_terms(message: auction_pb2.AuctionTerms, *, seller_id: str, reserve: Money | None) -> Terms:
    """Return the terms of a draft; ``TermsInvalid`` if they contradict each other."""
    currency_code = message.opening_price.currency_code
    format_ = format_of(message.format)
    return Terms(
        seller_id=seller_id,
        currency_code=currency_code,
        opening_minor=message.opening_price.amount_minor,
        reserve_minor=None if reserve is None else _minor(reserve, currency_code, "the reserve"),
        ladder=Ladder([Step(s.price_from_minor, s.step_minor) for s in message.increments])
        if message.increments
        else format_.ladder,
        soft_close=_to_soft_close(message.soft_close) if message.HasField("soft_close") else None,
        funding=Funding(message.funding_policy),
        format=format_,
        buy_now=BuyNow(
            _minor(message.buy_now.price, currency_code, "the buy-now price"),
            BuyNowAvailability(message.buy_now.availability),
        )
        if message.HasField("buy_now")
        else None,
        falling_price=FallingPrice(
            message.falling_price.drop_minor,
            _whole_milliseconds(message.falling_price.every),
            message.falling_price.floor_minor,
        )
        if message.HasField("falling_price")
        else None,
        confirm_above_factor=message.confirm_above_factor,
        lot_duration=_whole_milliseconds(message.lot_duration)
        if message.HasField("lot_duration")
        else None,
    )


def _minor(money: Money, currency_code: str, name: str) -> int:
    if money.currency_code != currency_code:
        raise TermsInvalid(problem=f"{name} is not in {currency_code}")
    return money.amount_minor


def _to_soft_close(message: auction_pb2.SoftClose) -> SoftClose:
    return SoftClose(
        extend_within=_whole_milliseconds(message.extend_within),
        extend_by=_whole_milliseconds(message.extend_by),
        extensions_max=message.extensions_max,
        latest_end_after=_whole_milliseconds(message.latest_end_after)
        if message.HasField("latest_end_after")
        else None,
    )


def _whole_milliseconds(duration: Duration) -> timedelta:
    return duration.ToTimedelta() // _MILLISECOND * _MILLISECOND


def terms_message(terms: Terms) -> auction_pb2.AuctionTerms:
    """Return the terms as anyone may see them: without the reserve."""
    currency_code = terms.currency_code
    message = auction_pb2.AuctionTerms(
        format=auction_pb2.AuctionFormat.ValueType(terms.format.number),
        opening_price=Money(currency_code=currency_code, amount_minor=terms.opening_minor),
        increments=[
            auction_pb2.IncrementStep(
                price_from_minor=step.price_from_minor, step_minor=step.step_minor
            )
            for step in terms.ladder.steps
        ],
        funding_policy=auction_pb2.FundingPolicy.ValueType(terms.funding),
        confirm_above_factor=terms.confirm_above_factor,
    )
    soft_close, buy_now, falling = terms.soft_close, terms.buy_now, terms.falling_price
    if soft_close is not None:
        message.soft_close.extend_within.FromTimedelta(soft_close.extend_within)
        message.soft_close.extend_by.FromTimedelta(soft_close.extend_by)
        message.soft_close.extensions_max = soft_close.extensions_max
        if soft_close.latest_end_after is not None:
            message.soft_close.latest_end_after.FromTimedelta(soft_close.latest_end_after)
    if buy_now is not None:
        price = Money(currency_code=currency_code, amount_minor=buy_now.price_minor)
        message.buy_now.price.CopyFrom(price)
        message.buy_now.availability = auction_pb2.BuyNowAvailability.ValueType(
            buy_now.availability
        )
    if falling is not None:
        message.falling_price.drop_minor = falling.drop_minor
        message.falling_price.every.FromTimedelta(falling.every)
        message.falling_price.floor_minor = falling.floor_minor
    if terms.lot_duration is not None:
        message.lot_duration.FromTimedelta(terms.lot_duration)
    return message
