"""The state machine: Hypothesis draws the steps, the service takes them, the model checks them.

What is drawn never depends on what happened: auctions, people and amounts are numbers that the
moment gives a meaning. So a run is the same for the same seed whatever the clock says.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from fakes.auction_model_changes import FullDriver, Loss
from fakes.auction_model_market import Wish
from fakes.auction_model_plans import Amount, Plan, amounts, plans
from fakes.auction_model_rules import Stage
from fakes.auction_replicas import Replicas

Run = Callable[[Coroutine[Any, Any, Any]], Any]

REPLICA = st.integers(0, 1)
LOT = st.sampled_from([0, 0, 0, 1, 1, 2, 5])
BIDDER = st.integers(0, 3)
Several = tuple[tuple[int, Amount], ...]
SEVERAL = st.tuples(*[st.tuples(BIDDER, amounts())] * 4)
STARTED = st.sampled_from([Stage.LIVE] * 6 + [Stage.SCHEDULED, Stage.DRAFT])
LOSS = st.builds(
    Loss,
    kind=st.sampled_from(["none", "none", "process", "backends", "answer"]),
    turns=st.integers(0, 20),
)
SHOW_METHOD = st.sampled_from(
    [*("StartShow", "StartShow", "OpenNextLot", "OpenNextLot"), "PauseLot", "ResumeLot", "EndShow"]
)


class MarketMachine(RuleBasedStateMachine):
    """A market: auctions and shows, and people who bid, buy and change their minds."""

    def __init__(self, replicas: Replicas, run: Run, count: Callable[[int], None]) -> None:
        super().__init__()
        self.run, self.count = run, count
        self.driver = FullDriver(replicas)
        self.run(self.driver.begin())

    @initialize(plan=plans(), other=plans())
    def open_two(self, plan: Plan, other: Plan) -> None:
        self.run(self.driver.create(0, plan, Stage.LIVE))
        self.run(self.driver.create(1, other, Stage.LIVE))

    @rule(replica=REPLICA, plan=plans(), stage=STARTED)
    def create(self, replica: int, plan: Plan, stage: Stage) -> None:
        self.step(self.driver.create(replica, plan, stage), self.driver.lot_id(0))

    @rule(replica=REPLICA, lot=LOT, drawn=SEVERAL, insists=st.booleans())
    def bid(self, replica: int, lot: int, drawn: Several, insists: bool) -> None:  # noqa: FBT001
        """Have several people bid on one lot, one after another, on either replica in turn."""
        for place, (bidder, amount) in enumerate(drawn):
            lot_id = self.driver.lot_id(lot)
            self.bid_on(replica + place, lot_id, bidder, amount, insists=insists)

    @rule(replica=REPLICA, drawn=SEVERAL)
    def bid_on_the_latest(self, replica: int, drawn: Several) -> None:
        self.bid(replica, 0, drawn, insists=True)

    @rule(replica=REPLICA, plan=plans(), drawn=SEVERAL)
    def create_and_bid(self, replica: int, plan: Plan, drawn: Several) -> None:
        self.create(replica, plan, Stage.LIVE)
        self.bid(replica, 0, drawn, insists=True)

    @rule(replica=REPLICA, lot=LOT, amount=amounts())
    def raise_own(self, replica: int, lot: int, amount: Amount) -> None:
        lot_id = self.driver.lot_id(lot)
        market = self.driver.market
        leader = market.lots[lot_id].leader if lot_id else ""
        bidder = self.driver.bidders.index(leader) if leader else 0
        self.bid_on(replica, lot_id, bidder, amount, insists=True)

    @rule(replica=REPLICA, lot=LOT, bidder=st.integers(0, 4), currency=st.sampled_from("UE"))
    def bid_as_nobody_may(self, replica: int, lot: int, bidder: int, currency: str) -> None:
        lot_id = self.driver.lot_id(lot, any_stage=True)
        people = [*self.driver.bidders, self.driver.seller]
        if lot_id:
            wish = Wish(people[bidder], lot_id, 50_00, "USD" if currency == "U" else "EUR")
            self.step(self.driver.bid(replica, wish), lot_id)

    @rule(replica=REPLICA, lot=LOT, bidder=BIDDER, off=st.sampled_from([0, 0, 0, 1]))
    def buy_now(self, replica: int, lot: int, bidder: int, off: int) -> None:
        driver = self.driver
        offered = [i for i, o in driver.market.lots.items() if o.is_open and o.buy_now_offered]
        lot_id = offered[lot % len(offered)] if offered else driver.lot_id(lot)
        if lot_id:
            price = (driver.market.lots[lot_id].rules.buy_now or 10_00) + off
            wish = Wish(driver.bidders[bidder], lot_id, price, buys=True)
            self.step(driver.bid(replica, wish), lot_id)

    @rule(replica=REPLICA, which=st.integers(0, 20), altered=st.booleans())
    def replay(self, replica: int, which: int, altered: bool) -> None:  # noqa: FBT001
        self.step(self.driver.replay(replica, which, altered=altered), self.driver.lot_id(0))

    @rule(replica=REPLICA, lot=LOT, really=st.integers(0, 3))
    def close(self, replica: int, lot: int, really: int) -> None:
        lot_id = self.driver.lot_id(lot, any_stage=really > 0)
        if lot_id:
            self.step(self.driver.close(replica, lot_id), lot_id)

    @rule(replica=REPLICA, lot=LOT, by_moderator=st.sampled_from([False, False, True]))
    def cancel(self, replica: int, lot: int, by_moderator: bool) -> None:  # noqa: FBT001
        lot_id = self.driver.lot_id(lot, any_stage=True)
        if lot_id:
            cancelled = self.driver.cancel(replica, lot_id, by_moderator=by_moderator)
            self.step(cancelled, lot_id)

    def bid_on(
        self, replica: int, lot_id: str, bidder: int, amount: Amount, *, insists: bool
    ) -> None:
        if lot_id:
            wish = self.driver.wish(lot_id, self.driver.bidders[bidder], amount)
            self.step(self.driver.bid(replica, wish, insists=insists), lot_id)

    def step(self, coroutine: Coroutine[Any, Any, Any], lot_id: str) -> None:
        """Take a step and check everything."""
        self.count(1)

        async def checked() -> None:
            await coroutine
            await self.driver.check(lot_id)

        self.run(checked())

    @rule(replica=REPLICA, lot=LOT, drawn=st.tuples(*[amounts()] * 4), loss=LOSS)
    def bid_at_once(self, replica: int, lot: int, drawn: tuple[Amount, ...], loss: Loss) -> None:
        lot_id = self.driver.lot_id(lot)
        if lot_id:
            self.step(self.driver.bid_at_once(replica, lot_id, drawn, loss), lot_id)

    @rule(replica=REPLICA, bidder=BIDDER, barred=st.booleans())
    def bar(self, replica: int, bidder: int, barred: bool) -> None:  # noqa: FBT001
        barring = self.driver.bar(replica, self.driver.bidders[bidder], barred=barred)
        self.step(barring, self.driver.lot_id(0))

    @rule(replica=REPLICA, lot=LOT, bidder=BIDDER, which=st.sampled_from([0, 0, 1, 2]),
          described=st.sampled_from([False, False, True]))  # fmt: skip
    def retract(
        self,
        replica: int,
        lot: int,
        bidder: int,
        which: int,
        described: bool,  # noqa: FBT001 - Hypothesis draws it
    ) -> None:
        lots = self.driver.market.lots
        bid_on = [i for i, o in lots.items() if o.is_open and o.standing]
        lot_id = bid_on[-1 - lot % len(bid_on)] if bid_on else self.driver.lot_id(lot)
        if lot_id:
            own = [b.bidder for b in lots[lot_id].standing] or self.driver.bidders
            taken = self.driver.retract(
                replica, lot_id, own[-1 - bidder % len(own)], which, described=described
            )
            self.step(taken, lot_id)

    @rule(replica=REPLICA, limit=st.sampled_from([None, 100_00, 1_000_00]), plan=plans())
    def show(self, replica: int, limit: int | None, plan: Plan) -> None:
        self.create_show(replica, limit, plan)

    def create_show(self, replica: int, limit: int | None, plan: Plan) -> None:
        async def show_with_a_lot() -> None:
            await self.driver.create_show(replica, limit)
            await self.driver.add_lot(replica, plan)

        self.step(show_with_a_lot(), "")

    @rule(replica=REPLICA, plan=plans())
    def add_lot(self, replica: int, plan: Plan) -> None:
        if not self.driver.market.shows:
            self.create_show(replica, None, plan)
        self.step(self.driver.add_lot(replica, plan), self.driver.lot_id(0))

    @rule(replica=REPLICA, method=SHOW_METHOD)
    def run_show(self, replica: int, method: str) -> None:
        if not self.driver.market.shows:
            self.run(self.driver.create_show(replica, None))
        else:
            lot_id = self.driver.lot_id(0, any_stage=True)
            self.step(self.driver.run_show(replica, method), lot_id)

    def teardown(self) -> None:
        self.run(self.driver.finish())
