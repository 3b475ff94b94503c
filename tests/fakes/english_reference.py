"""The rules of an English auction once more, by brute force: what the real ones must match.

Nothing is carried along from bid to bid: who leads, at what price, until when, is computed anew
from the list of all maxima that were accepted. Nothing of the code under test is used.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

DEFAULT_STEPS = [
    (1, 5),
    (100, 25),
    (500, 50),
    (2_500, 100),
    (10_000, 250),
    (25_000, 500),
    (50_000, 1_000),
    (100_000, 2_500),
    (250_000, 5_000),
    (500_000, 10_000),
]


@dataclass(frozen=True)
class Accepted:
    """A maximum that was accepted."""

    bidder_id: str
    maximum_minor: int
    at: datetime


@dataclass
class EnglishReference:
    """One auction; amounts in minor units. ``accepted`` and ``bought`` are all that it knows.

    ``always_buyable`` says that a maximum which reaches ``buy_now_minor`` is a purchase.
    """

    seller_id: str
    currency_code: str
    opening_minor: int
    reserve_minor: int | None
    steps: list[tuple[int, int]]
    ends_at_first: datetime
    extend_within: timedelta | None
    extend_by: timedelta
    extensions_max: int
    latest_end_after: timedelta | None = None
    buy_now_minor: int | None = None
    always_buyable: bool = False
    confirm_above_factor: int = 0
    accepted: list[Accepted] = field(default_factory=list)
    bought: Accepted | None = None

    def refusal(
        self, bidder_id: str, currency_code: str, maximum: int, now: datetime, manner: str
    ) -> str:
        """Return the reason for which a bid is refused, or nothing."""
        if self.bought or now >= self.end()[0]:
            return "AUCTION_ENDED"
        if bidder_id == self.seller_id:
            return "OWN_AUCTION"
        if currency_code != self.currency_code:
            return "CURRENCY_MISMATCH"
        if manner == "buys":
            return "" if maximum == self.offered_minor() else "BUY_NOW_UNAVAILABLE"
        return self._amount_refusal(bidder_id, maximum, confirmed=manner == "confirmed")

    def _amount_refusal(self, bidder_id: str, maximum: int, *, confirmed: bool) -> str:
        leader = self.leader()
        own_minor = leader.maximum_minor if leader and leader.bidder_id == bidder_id else 0
        if maximum <= own_minor:
            return "MAXIMUM_NOT_RAISED"
        if maximum < self.minimum_minor():
            return "BID_TOO_LOW"
        factor = self.confirm_above_factor
        large = factor and not confirmed and maximum > factor * self.price_minor()
        return "CONFIRM_LARGE_BID" if large else ""

    def offered_minor(self) -> int | None:
        """Return what one may buy at: nothing once the price has reached it."""
        if self.buy_now_minor is None:
            return None
        reached = self.accepted and self.price_minor() >= self.buy_now_minor
        return None if reached else self.buy_now_minor

    def accept(self, bidder_id: str, maximum: int, now: datetime, manner: str) -> None:
        """Note a bid that is not refused."""
        price_minor = self.buy_now_minor
        reaches = price_minor is not None and self.always_buyable and maximum >= price_minor
        if price_minor is not None and (manner == "buys" or reaches):
            self.bought = Accepted(bidder_id, price_minor, now)
        else:
            self.accepted.append(Accepted(bidder_id, maximum, now))

    def leader(self, count: int | None = None) -> Accepted | None:
        """Return the highest of the first ``count`` maxima, the earlier of equal ones."""
        highest: Accepted | None = None
        for bid in self.accepted[:count]:
            if highest is None or bid.maximum_minor > highest.maximum_minor:
                highest = bid
        return highest

    def minimum_minor(self) -> int:
        price_minor = self.price_minor()
        return price_minor + self.step_minor(price_minor) if self.accepted else self.opening_minor

    def price_minor(self) -> int:
        """Return the price, by going through every prefix of the list."""
        price_minor = self.opening_minor
        for count in range(1, len(self.accepted) + 1):
            leader, before = self.leader(count), self.leader(count - 1)
            assert leader is not None
            others = [
                bid.maximum_minor
                for bid in self.accepted[:count]
                if bid.bidder_id != leader.bidder_id
            ]
            raised_own = before is not None and (
                before.bidder_id == self.accepted[count - 1].bidder_id
            )
            if others and not raised_own:
                wanted_minor = max(others) + self.step_minor(max(others))
                price_minor = max(price_minor, min(leader.maximum_minor, wanted_minor))
            if self.reserve_minor is not None and leader.maximum_minor >= self.reserve_minor:
                price_minor = max(price_minor, self.reserve_minor)
        return price_minor

    def end(self) -> tuple[datetime, int]:
        """Return when bidding ends, and how often that was moved."""
        ends_at, moved = self.ends_at_first, 0
        for bid in self.accepted:
            if self.extend_within is None or ends_at - bid.at >= self.extend_within:
                continue
            wanted = bid.at + self.extend_by
            if self.latest_end_after is not None:
                wanted = min(wanted, self.ends_at_first + self.latest_end_after)
            if moved < self.extensions_max and wanted > ends_at:
                ends_at, moved = wanted, moved + 1
        return (self.bought.at if self.bought else ends_at), moved

    def step_minor(self, price_minor: int) -> int:
        step_minor = self.steps[0][1]
        for price_from_minor, candidate_minor in self.steps:
            if price_minor >= price_from_minor:
                step_minor = candidate_minor
        return step_minor
