"""The terms of an auction: everything that is agreed before the first bid.

All amounts are minor units of the terms' currency. ``TermsInvalid`` says what contradicts what.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import IntEnum

from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.formats import ENGLISH
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.increments import Ladder


class Funding(IntEnum):
    """How a bid is funded; the numbers are the contract's."""

    WALLET_HOLD = 1
    OPEN = 2
    SAVED_CARD = 3


class BuyNowAvailability(IntEnum):
    """How long an auction may be bought at once; the numbers are the contract's."""

    UNTIL_REACHED = 1
    WHOLE_AUCTION = 2


@dataclass(frozen=True, slots=True)
class BuyNow:
    """Anyone may end the auction at once for ``price_minor``, as long as it is offered."""

    price_minor: int
    availability: BuyNowAvailability


@dataclass(frozen=True, slots=True)
class FallingPrice:
    """The price falls by ``drop_minor`` each time ``every`` has gone by, not below the floor."""

    drop_minor: int
    every: timedelta
    floor_minor: int


@dataclass(frozen=True, slots=True)
class SoftClose:
    """A bid accepted with less than ``extend_within`` left moves the end to ``extend_by`` after it.

    That happens ``extensions_max`` times at the most, and never to later than ``latest_end_after``
    beyond the announced end.
    """

    extend_within: timedelta
    extend_by: timedelta
    extensions_max: int
    latest_end_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one auction; frozen when it starts.

    ``confirm_above_factor`` times the price is the largest maximum that needs no confirmation, 0
    for none at all. ``bidder_limit_minor`` is what one bidder may commit in the show ``show_id``.
    """

    seller_id: str
    currency_code: str
    opening_minor: int
    reserve_minor: int | None
    ladder: Ladder
    soft_close: SoftClose | None
    funding: Funding
    format: Format = ENGLISH
    buy_now: BuyNow | None = None
    falling_price: FallingPrice | None = None
    confirm_above_factor: int = 0
    lot_duration: timedelta | None = None
    show_id: str | None = None
    bidder_limit_minor: int | None = None

    def __post_init__(self) -> None:
        if self.reserve_minor is not None and self.reserve_minor < self.opening_minor:
            raise TermsInvalid(problem="the reserve is below the opening price")
        if self.buy_now is not None:
            if not self.format.offers_buy_now:
                raise TermsInvalid(problem="this format cannot be bought at once")
            if self.buy_now.price_minor < (self.reserve_minor or self.opening_minor):
                raise TermsInvalid(problem="the buy-now price is below the reserve or the opening")
        if self.falling_price is not None and not self.format.falls:
            raise TermsInvalid(problem="only the price of a Dutch auction falls")
        if self.confirm_above_factor == 1:
            raise TermsInvalid(problem="a confirmation factor is 2 or more, or 0 for none")
        self.format.check_terms(self)

    def as_lot_of(self, show_id: str, *, bidder_limit_minor: int | None) -> "Terms":
        """Return the same terms for a lot of a show."""
        return replace(self, show_id=show_id, bidder_limit_minor=bidder_limit_minor)
