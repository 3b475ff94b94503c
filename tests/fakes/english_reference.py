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
    """One auction; amounts in minor units. ``accepted`` is all that it knows."""

    seller_id: str
    currency_code: str
    opening_minor: int
    reserve_minor: int | None
    steps: list[tuple[int, int]]
    ends_at_first: datetime
    extend_within: timedelta | None
    extend_by: timedelta
    extensions_max: int
    accepted: list[Accepted] = field(default_factory=list)

    def refusal(self, bidder_id: str, currency_code: str, maximum: int, now: datetime) -> str:
        """Return the reason for which a bid is refused, or nothing."""
        if now >= self.end()[0]:
            return "AUCTION_ENDED"
        if bidder_id == self.seller_id:
            return "OWN_AUCTION"
        if currency_code != self.currency_code:
            return "CURRENCY_MISMATCH"
        leader = self.leader()
        own_minor = leader.maximum_minor if leader and leader.bidder_id == bidder_id else 0
        if maximum <= own_minor:
            return "MAXIMUM_NOT_RAISED"
        return "BID_TOO_LOW" if maximum < self.minimum_minor() else ""

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
            late = self.extend_within is not None and ends_at - bid.at < self.extend_within
            if late and moved < self.extensions_max and bid.at + self.extend_by > ends_at:
                ends_at, moved = bid.at + self.extend_by, moved + 1
        return ends_at, moved

    def step_minor(self, price_minor: int) -> int:
        step_minor = self.steps[0][1]
        for price_from_minor, candidate_minor in self.steps:
            if price_minor >= price_from_minor:
                step_minor = candidate_minor
        return step_minor
