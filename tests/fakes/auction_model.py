"""What the auction rules say about one lot, worked out anew each time from all that was accepted.

It is written from the rules and not from the service, and knows nothing of it: there is no book
that changes bid by bid, only the list of accepted maxima, the moments at which the clock was
stopped, and formulas over both. Slow, and easy to check by reading. Amounts are minor units, and
steps rise with the price.
"""

from dataclasses import dataclass, field
from datetime import datetime

from fakes.auction_model_rules import (
    ASCENDING,
    OPEN_STAGES,
    SEALED,
    Funds,
    Kind,
    Result,
    Rules,
    Stage,
)


@dataclass
class Accepted:
    """A maximum that was accepted; ``gone`` once it was taken back."""

    bidder: str
    maximum: int
    at: datetime
    bid_id: str
    bought: bool = False
    gone: bool = False


@dataclass
class Lot:
    """One auction: its rules, what was accepted, and when its clock ran."""

    rules: Rules
    seller: str
    show: str = ""
    limit: int | None = None
    queued: bool = False
    scheduled_for: tuple[datetime, datetime] | None = None
    opened_at: datetime | None = None
    announced_end: datetime | None = None
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    ended_at: datetime | None = None
    cancelled: bool = False
    accepted: list[Accepted] = field(default_factory=list)
    described_at: datetime | None = None

    @property
    def stage(self) -> Stage:
        if self.cancelled:
            return Stage.CANCELLED
        if self.ended_at is not None:
            return Stage.ENDED
        if self.opened_at is not None:
            stopped = self.pauses and self.pauses[-1][1] is None
            return Stage.PAUSED if stopped else Stage.LIVE
        if self.queued:
            return Stage.QUEUED
        return Stage.SCHEDULED if self.scheduled_for else Stage.DRAFT

    @property
    def is_open(self) -> bool:
        return self.stage in OPEN_STAGES

    @property
    def was_public(self) -> bool:
        """Whether anyone but the seller was ever shown it."""
        return bool(self.show or self.scheduled_for or self.opened_at)

    @property
    def standing(self) -> list[Accepted]:
        return [bid for bid in self.accepted if not bid.gone]

    @property
    def purchase(self) -> Accepted | None:
        return next((bid for bid in self.standing if bid.bought), None)

    @property
    def top(self) -> Accepted | None:
        """The bid that leads: the purchase, or the highest maximum, of equal ones the earlier."""
        if self.purchase or not self.standing:
            return self.purchase
        highest = max(bid.maximum for bid in self.standing)
        return next(bid for bid in self.standing if bid.maximum == highest)

    @property
    def leader(self) -> str:
        return self.top.bidder if self.top else ""

    def own_maximum(self, bidder: str) -> int:
        """Return the bidder's highest maximum that stands, 0 without one."""
        return max((bid.maximum for bid in self.standing if bid.bidder == bidder), default=0)

    def falling_price(self, now: datetime) -> int:
        """Return a Dutch price: it falls once each whole interval on the clock, to the floor."""
        falling = self.rules.falling
        assert falling is not None
        if self.opened_at is None:
            return self.rules.opening
        running = now - self.opened_at
        for begins, ends in self.pauses:
            running -= (ends or now) - begins
        drops = max(running // falling.every, 0)
        return max(falling.floor, self.rules.opening - drops * falling.drop)

    @property
    def price(self) -> int:  # noqa: PLR0911 - a case each
        """The price as it truly stands, whether anyone is shown it or not."""
        rules, top = self.rules, self.top
        if top is None:
            return rules.opening
        if top.bought:
            return rules.buy_now or 0
        if rules.kind is Kind.DUTCH:
            return self.falling_price(top.at)
        if rules.kind is Kind.SEALED_FIRST_PRICE:
            return top.maximum
        others = [bid for bid in self.standing if bid.bidder != top.bidder]
        reached = rules.reserve is not None and top.maximum >= rules.reserve
        price = max(rules.opening, rules.reserve or 0) if reached else rules.opening
        if not others:
            return price
        second = max(bid.maximum for bid in others)
        if rules.kind is Kind.SEALED_SECOND_PRICE:
            return max(price, second)
        return max(price, min(self._met_with(top.bidder, second), second + rules.step(second)))

    def _met_with(self, leader: str, second: int) -> int:
        """Return the maximum with which the leader met the second-highest one.

        It is what they had bid when that came, or with what they passed it. Raising it afterwards
        changes no price.
        """
        numbered = list(enumerate(self.standing))
        came = next(n for n, b in numbered if b.bidder != leader and b.maximum == second)
        before = [b.maximum for n, b in numbered if b.bidder == leader and n < came]
        if max(before, default=0) >= second:
            return max(before)
        return next(b.maximum for n, b in numbered
                    if b.bidder == leader and n > came and b.maximum > second)  # fmt: skip

    @property
    def shown_price(self) -> int:
        return self.rules.opening if self.hidden else self.price

    @property
    def hidden(self) -> bool:
        """Whether nobody is shown an amount or a leader: a sealed auction that is not over."""
        return self.rules.kind in SEALED and self.stage not in {Stage.ENDED, Stage.CANCELLED}

    def asking(self, now: datetime) -> int:
        """Return the least maximum that is accepted."""
        if self.rules.kind is Kind.DUTCH:
            return self.falling_price(now)
        return self.minimum_next

    @property
    def minimum_next(self) -> int:
        """The least maximum that is said to follow; of a falling price, where it starts or sold."""
        if not self.standing or self.rules.kind in SEALED:
            return self.rules.opening
        return self.price + (self.rules.step(self.price) if self.rules.kind in ASCENDING else 0)

    @property
    def buy_now_offered(self) -> bool:
        """Whether it can be bought at once: until the first bid that takes the price there."""
        reached = bool(self.standing) and self.price >= (self.rules.buy_now or 0)
        return self.rules.buy_now is not None and not reached

    @property
    def end(self) -> tuple[datetime | None, int]:
        """When bidding ends as things stand, or ended; and how often late bids moved it."""
        if self.opened_at is None or self.announced_end is None:
            return self.ended_at or (self.scheduled_for[1] if self.scheduled_for else None), 0
        end, announced, moved, late = self.announced_end, self.announced_end, 0, self.rules.late
        bids = [(b.at, None) for b in self.accepted if b.at >= self.opened_at and not b.bought]
        stops = [(ends, ends - begins) for begins, ends in self.pauses if ends is not None]
        for at, stopped in sorted([*bids, *stops], key=lambda happened: happened[0]):
            if stopped is not None:
                end, announced = end + stopped, announced + stopped
            elif late is not None and end - at < late.within and moved < late.times:
                wished = at + late.by
                wished = min(wished, announced + late.latest) if late.latest else wished
                end, moved = max(end, wished), moved + (wished > end)
        return self.ended_at or end, moved

    @property
    def result(self) -> Result:
        if self.cancelled:
            return Result.CANCELLED
        return self.result_now if self.ended_at is not None else Result.NONE

    @property
    def result_now(self) -> Result:
        """What it comes to if it ends now."""
        if self.top is None:
            return Result.NO_BIDS
        if self.top.bought:
            return Result.BOUGHT_NOW
        unmet = self.rules.reserve is not None and self.top.maximum < self.rules.reserve
        return Result.RESERVE_NOT_MET if unmet else Result.SOLD

    def won_by(self, bidder: str) -> bool:
        return bidder == self.leader and self.result in {Result.SOLD, Result.BOUGHT_NOW}

    def counted(self, bidder: str) -> int:
        """Return the bidder's maximum that binds them: the leader's, anyone's in a sealed one."""
        if not self.is_open or not (self.rules.kind in SEALED or bidder == self.leader):
            return 0
        return self.own_maximum(bidder)

    def held(self, bidder: str) -> int:
        """Return what is held of a bidder's money for this lot."""
        return self.counted(bidder) if self.rules.funds is Funds.WALLET else 0
