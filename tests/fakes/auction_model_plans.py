"""What may be drawn for a step: rules of auctions and amounts aimed at where the rules turn."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from hypothesis import strategies as st

from blytz.auction.v1 import auction_pb2
from blytz.common.v1.money_pb2 import Money
from fakes.auction_model import Lot
from fakes.auction_model_market import Market
from fakes.auction_model_rules import ASCENDING, SEALED, Falling, Funds, Kind, Late, Rules

MINUTE = timedelta(minutes=1)
LATE = (
    Late(60 * MINUTE, 60 * MINUTE, 3, None),
    Late(60 * MINUTE, 60 * MINUTE, 100, 10 * MINUTE),
    Late(60 * MINUTE, 20 * MINUTE, 5, None),
    Late(timedelta(seconds=2), 60 * MINUTE, 5, None),
)
"""Windows longer than what is left, so that a bid is late by any clock; and one that is not."""
STEPS = ((), (), ((0, 1),), ((0, 7_00),), ((0, 10), (10_00, 50), (50_00, 1_00)))
FALLING = (
    Falling(7, timedelta(seconds=1), 60),
    Falling(1_000, timedelta(days=1), 1),
    Falling(10, timedelta(seconds=1), 1_000_000),
)
LENGTHS = (20 * MINUTE, 50 * MINUTE, 20 * 60 * MINUTE)
ANCHORS = (
    *(
        "asking",
        "asking",
        "asking",
        "leader",
        "leader",
        "leader",
        "reserve",
        "buy_now",
        "own",
        "free",
    ),
    *("bracket", "factor", "limit", "far"),
)
DELTAS = (0, 0, 0, 1, -1, -1, 25, 20_00, 150_00)


def usd(amount_minor: int) -> Money:
    return Money(currency_code="USD", amount_minor=amount_minor)


def duration_of(length: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(length)
    return duration


@dataclass(frozen=True)
class Plan:
    """An auction as it is drawn; ``sound`` straightens out what contradicts itself."""

    kind: Kind
    opening: int
    funds: Funds
    over_opening: int | None
    steps: int
    late: int | None
    over_reserve: int | None
    whole: bool
    falling: int
    confirm_factor: int
    length: int
    sound: bool

    @property
    def rules(self) -> Rules:
        reserve = None if self.over_opening is None else max(1, self.opening + self.over_opening)
        price = (reserve or self.opening) + (self.over_reserve or 0)
        rules = Rules(
            kind=self.kind,
            opening=self.opening,
            funds=self.funds,
            reserve=reserve,
            steps=STEPS[self.steps],
            late=None if self.late is None else LATE[self.late],
            buy_now=None if self.over_reserve is None else max(1, price),
            whole=self.whole,
            falling=FALLING[self.falling] if self.kind is Kind.DUTCH else None,
            confirm_factor=self.confirm_factor,
        )
        return _sound(rules) if self.sound else rules

    @property
    def duration(self) -> timedelta:
        length = LENGTHS[self.length]
        return length if self.kind is not Kind.LIVE_LOT else min(length, LENGTHS[1])


def _sound(rules: Rules) -> Rules:
    """Return the rules without what the format does not have."""
    if (rules.reserve or rules.opening) < rules.opening:
        rules = replace(rules, reserve=None)
    if rules.kind is Kind.DUTCH and rules.falling is not None:
        floor = min(rules.falling.floor, rules.opening)
        rules = replace(rules, reserve=None, falling=replace(rules.falling, floor=floor))
    if rules.kind not in {Kind.ENGLISH, Kind.LIVE_LOT}:
        rules = replace(rules, late=None)
    if rules.kind not in ASCENDING or (rules.buy_now or 0) < (rules.reserve or rules.opening):
        rules = replace(rules, buy_now=None)
    return rules


def terms_message(rules: Rules) -> auction_pb2.AuctionTerms:
    """Return the rules as the contract's message."""
    terms = auction_pb2.AuctionTerms(
        format=auction_pb2.AuctionFormat.ValueType(rules.kind),
        opening_price=usd(rules.opening),
        increments=[
            auction_pb2.IncrementStep(price_from_minor=begins, step_minor=step)
            for begins, step in rules.steps
        ],
        funding_policy=auction_pb2.FundingPolicy.ValueType(rules.funds),
        confirm_above_factor=rules.confirm_factor,
    )
    if rules.late is not None:
        terms.soft_close.extend_within.CopyFrom(duration_of(rules.late.within))
        terms.soft_close.extend_by.CopyFrom(duration_of(rules.late.by))
        terms.soft_close.extensions_max = rules.late.times
        if rules.late.latest is not None:
            terms.soft_close.latest_end_after.CopyFrom(duration_of(rules.late.latest))
    if rules.buy_now is not None:
        terms.buy_now.price.CopyFrom(usd(rules.buy_now))
        terms.buy_now.availability = auction_pb2.BuyNowAvailability.ValueType(1 + rules.whole)
    if rules.falling is not None:
        terms.falling_price.drop_minor = rules.falling.drop
        terms.falling_price.every.CopyFrom(duration_of(rules.falling.every))
        terms.falling_price.floor_minor = rules.falling.floor
    return terms


@dataclass(frozen=True)
class Amount:
    """An amount as it is drawn: something near what a rule turns on at that moment."""

    anchor: str
    delta: int

    def of(self, market: Market, lot: Lot, bidder: str, now: datetime) -> int:
        rules, price = lot.rules, lot.shown_price
        spare = (lot.limit or 0) - market.committed(lot.show, bidder) + lot.counted(bidder)
        asking = lot.asking(now)
        anchors = {
            "asking": asking,
            "leader": lot.top.maximum if lot.top else rules.opening,
            "reserve": rules.reserve or rules.opening,
            "buy_now": rules.buy_now or asking,
            "own": lot.own_maximum(bidder) or asking,
            "free": market.free(bidder) + lot.held(bidder),
            "bracket": next((b for b, _ in rules.rows if b > lot.price), 2 * lot.price),
            "factor": max(rules.confirm_factor, 1) * price,
            "limit": spare if lot.limit is not None else asking,
            "far": 3 * asking,
        }
        return max(1, min(anchors[self.anchor] + self.delta, 10**11))


def plans() -> st.SearchStrategy[Plan]:
    """Draw auctions: mostly ascending ones, mostly paid from the wallet, hardly any unsound."""
    return st.builds(
        Plan,
        kind=st.sampled_from([*ASCENDING, *SEALED, Kind.ENGLISH, Kind.ENGLISH, Kind.DUTCH]),
        opening=st.sampled_from([1_00, 1, 99, 24_50, 100_00]),
        funds=st.sampled_from([Funds.WALLET, Funds.WALLET, Funds.WALLET, Funds.OPEN, Funds.CARD]),
        over_opening=st.sampled_from([None, None, 0, 10_00, -1]),
        steps=st.integers(0, len(STEPS) - 1),
        late=st.sampled_from([None, 0, 1, 2, 3]),
        over_reserve=st.sampled_from([None, None, 30_00, 150_00, 0, -1]),
        whole=st.booleans(),
        falling=st.integers(0, len(FALLING) - 1),
        confirm_factor=st.sampled_from([0, 0, 0, 2, 5]),
        length=st.integers(0, len(LENGTHS) - 1),
        sound=st.sampled_from([True] * 9 + [False]),
    )


def amounts() -> st.SearchStrategy[Amount]:
    return st.builds(Amount, anchor=st.sampled_from(ANCHORS), delta=st.sampled_from(DELTAS))


def described(rules: Rules) -> dict[str, Any]:
    """Return what of an auction's request follows from its rules."""
    reserve = {} if rules.reserve is None else {"reserve_price": usd(rules.reserve)}
    return {"title": "A watch", "terms": terms_message(rules), **reserve}
