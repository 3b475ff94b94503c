"""Takes each step on the real service and on the model, and holds the one against the other."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1 import show_service_pb2 as show_messages
from fakes.auction_model import Lot
from fakes.auction_model_audit import Audit, time_of
from fakes.auction_model_market import YES, Answer, Market, Wish
from fakes.auction_model_plans import Amount, Plan, described, usd
from fakes.auction_model_rules import OPEN_STAGES, SEALED, Kind, Stage
from fakes.auction_replicas import Replica, Replicas
from fakes.auction_shards import utc_now
from fakes.mesh import Refusal
from kernel.ids import new_id

CLOCK_SLACK = timedelta(milliseconds=2)
MONEY_MINOR = (100_000_00, 300_00, 40_00, 100_000_00)
"""What the four bidders bring; the last has no saved card."""


@dataclass(frozen=True)
class Sent:
    """A request that was sent, by whom, and its answer if it was granted."""

    method: str
    request: Any
    sender: str
    wish: Wish | None = None
    answer: Any = None


def timestamp_of(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp


def refusal_as_answer(outcome: Any) -> Answer:
    """Return a refusal as the model would give it: numbers as numbers, without a token."""
    if not isinstance(outcome, Refusal):
        return YES
    facts = {k: v for k, v in outcome.metadata.items() if k != "confirmation_token"}
    return Answer.no(
        outcome.reason, **{k: int(v) if v.isdecimal() else v for k, v in facts.items()}
    )


class Driver:
    """One market on the replicas: a seller, a moderator and four bidders of its own."""

    def __init__(self, replicas: Replicas) -> None:
        self.replicas = replicas
        self.seller, self.moderator = new_id(), new_id()
        self.bidders = [new_id() for _ in MONEY_MINOR]
        money = Counter(dict(zip(self.bidders, MONEY_MINOR, strict=True)))
        self.market = Market(money=money, cards=set(self.bidders[:-1]))
        self.audit = Audit(replicas, self.market)
        self.sent: list[Sent] = []
        self.tokens: dict[Wish, str] = {}
        self.steps = 0
        roles = {self.seller: ["SELLER"], self.moderator: ["MODERATOR"]}
        self._people = {
            user_id: replicas.person(user_id, *roles.get(user_id, []))
            for user_id in (self.seller, self.moderator, *self.bidders)
        }

    async def begin(self) -> None:
        for bidder, minor in self.market.money.items():
            self.replicas.wallet.available[bidder, "USD"] = minor
        await self.replicas.rows(
            "insert into card_holders (bidder_id, saved, changed_at)"
            " select id, true, clock_timestamp() from unnest(%(ids)s::uuid[]) as id",
            {"ids": sorted(self.market.cards)},
        )

    def replica(self, number: int) -> Replica:
        return self.replicas.both[number % 2]

    def person(self, user_id: str) -> Any:
        return self._people[user_id]

    def lot_id(self, number: int, *, any_stage: bool = False) -> str:
        """Return one of the lots, of those that are open unless any will do; empty if none."""
        lots = self.market.lots
        chosen = [i for i, lot in lots.items() if any_stage or lot.is_open] or list(lots)
        # The latest come first: shrinking leaves out what was before.
        return chosen[-1 - number % len(chosen)] if chosen else ""

    async def command(
        self, number: int, method: str, request: Any, sender: str, expected: Answer
    ) -> Any:
        """Send a command that must be answered as the model says; return the answer if granted."""
        outcome, repeated = await self.replica(number).call(method, request, self.person(sender))
        actual = refusal_as_answer(outcome)
        if repeated and actual.reason and not expected.reason:
            # It was done, and only its answer was lost: how things stand is the answer then.
            return await self._as_it_stands(number, request)
        assert (method, actual.reason) == (method, expected.reason), outcome
        return None if actual.reason else outcome

    async def _as_it_stands(self, number: int, request: Any) -> Any:
        """Return what a command would have answered: the auction, or the show and its lot."""
        replica, seller = self.replica(number), self.person(self.seller)
        if hasattr(request, "auction_id"):
            one = messages.GetAuctionRequest(auction_id=request.auction_id)
            return (await replica.call("GetAuction", one, seller))[0]
        whole = show_messages.GetShowRequest(show_id=request.show_id)
        found, _ = await replica.call("GetShow", whole, seller)
        up = [lot for lot in found.lots if lot.state in {Stage.LIVE, Stage.PAUSED}]
        return SimpleNamespace(show=found.show, lot=up[0] if up else None)

    async def create(self, number: int, plan: Plan, stage: Stage) -> None:
        """Create an auction, and announce or start it."""
        rules = plan.rules
        request = messages.CreateAuctionRequest(request_id=new_id(), **described(rules))
        expected = Answer.no("TERMS_INVALID") if rules.contradictory else YES
        created = await self.command(number, "CreateAuction", request, self.seller, expected)
        if created is None:
            return
        self.sent.append(Sent("CreateAuction", request, self.seller, answer=created))
        lot_id = created.auction.auction_id
        lot = self.market.lots[lot_id] = Lot(rules, self.seller)
        if stage is Stage.SCHEDULED:
            starts_at = utc_now() + timedelta(hours=3)
            ends_at = starts_at + plan.duration
            schedule = messages.ScheduleAuctionRequest(
                auction_id=lot_id, starts_at=timestamp_of(starts_at), ends_at=timestamp_of(ends_at)
            )
            await self.command(number, "ScheduleAuction", schedule, self.seller, YES)
            lot.scheduled_for = (starts_at, ends_at)
        elif stage is Stage.LIVE:
            await self.start(number, lot_id, plan.duration)

    async def start(self, number: int, lot_id: str, duration: timedelta) -> None:
        lot, ends_at = self.market.lots[lot_id], utc_now() + duration
        startable = lot.stage in {Stage.DRAFT, Stage.SCHEDULED}
        expected = YES if startable else Answer.no("STATE_TRANSITION_INVALID")
        request = messages.StartAuctionRequest(auction_id=lot_id, ends_at=timestamp_of(ends_at))
        started = await self.command(number, "StartAuction", request, self.seller, expected)
        if started is not None:
            lot.opened_at, lot.announced_end = time_of(started.auction.starts_at), ends_at

    def wish(self, lot_id: str, bidder: str, amount: Amount) -> Wish:
        lot = self.market.lots[lot_id]
        return Wish(bidder, lot_id, amount.of(self.market, lot, bidder, utc_now()))

    def bid_request(self, wish: Wish) -> tuple[str, Any]:
        """Return the method and the message of a wish."""
        price = {"request_id": new_id(), "auction_id": wish.lot}
        if wish.buys:
            return "BuyNow", messages.BuyNowRequest(price=usd(wish.maximum), **price)
        request = messages.PlaceBidRequest(maximum=usd(wish.maximum), **price)
        request.maximum.currency_code = wish.currency
        if wish.confirmed:
            request.confirmation_token = self.tokens[replace(wish, confirmed=False)]
        return "PlaceBid", request

    async def bid(self, number: int, wish: Wish, *, insists: bool = True) -> None:
        """Bid or buy; whoever is asked whether a large bid is meant may insist."""
        method, request = self.bid_request(wish)
        await self.send_bid(number, Sent(method, request, wish.bidder, wish))
        if insists and wish in self.tokens and not wish.confirmed:
            await self.bid(number, replace(wish, confirmed=True))

    async def send_bid(self, number: int, sent: Sent) -> None:
        began = utc_now()
        outcome, _ = await self.replica(number).call(
            sent.method, sent.request, self.person(sent.sender)
        )
        self.judge(sent, outcome, began)

    def judge(self, sent: Sent, outcome: Any, began: datetime) -> None:
        """Check the answer to a bid, and enter it in the model if it was accepted."""
        wish = sent.wish
        assert wish is not None
        if isinstance(outcome, Refusal):
            token = outcome.metadata.get("confirmation_token", "")
            if token:
                self.tokens[wish] = token
            possible = {self.market.answer(wish, at) for at in self.moments(wish.lot, began)}
            assert refusal_as_answer(outcome) in possible, (wish, outcome.reason, possible)
            return
        at = time_of(outcome.bid.placed_at)
        assert began - CLOCK_SLACK <= at <= utc_now() + CLOCK_SLACK
        assert self.market.answer(wish, at) == YES
        self.enter(sent, outcome, at)

    def enter(self, sent: Sent, answer: Any, at: datetime) -> None:
        """Enter an accepted bid in the model and check what its bidder was told."""
        wish = sent.wish
        assert wish is not None
        ended = self.market.accept(wish, at, answer.bid.bid_id)
        lot = self.market.lots[wish.lot]
        self.audit.know_alias(wish.lot, wish.bidder, answer.bid.bidder_alias)
        self.sent.append(replace(sent, answer=answer))
        told = answer.bid.price.amount_minor, answer.price.amount_minor
        assert told == (lot.shown_price, lot.shown_price)
        sealed = lot.rules.kind in SEALED
        leader_alias = "" if sealed else self.audit.aliases[wish.lot, lot.leader]
        assert answer.bid.leader_alias == leader_alias
        if wish.buys:
            assert ended
            assert time_of(answer.ended_at) == at
            return
        end, _ = lot.end
        assert (answer.won, answer.leading) == (ended, wish.bidder == lot.leader and not sealed)
        assert answer.minimum_next_bid.amount_minor == (lot.price if ended else lot.minimum_next)
        assert (time_of(answer.ends_at) if answer.HasField("ends_at") else None) == end

    def moments(self, lot_id: str, began: datetime) -> list[datetime]:
        """Return the moments at which a refusal may have been decided: prices fall meanwhile."""
        now, lot = utc_now(), self.market.lots.get(lot_id)
        if lot is None or lot.rules.kind is not Kind.DUTCH:
            return [now]
        tenths = int((now - began) / timedelta(seconds=0.1))
        return [began + timedelta(seconds=0.1) * n for n in range(tenths + 1)] + [now]

    async def replay(self, number: int, which: int, *, altered: bool) -> None:
        """Send an earlier request again: the answer is the first one, and nothing happens."""
        if not self.sent:
            return
        sent = self.sent[-1 - which % len(self.sent)]
        replica = self.replica(number)
        if not altered:
            again, _ = await replica.call(sent.method, sent.request, self.person(sent.sender))
            assert again == sent.answer
            return
        request = type(sent.request).FromString(sent.request.SerializeToString())
        if sent.method == "PlaceBid":
            request.maximum.amount_minor += 1
        elif sent.method == "BuyNow":
            request.price.amount_minor += 1
        elif hasattr(request, "title"):
            request.title = "Another watch"
        else:
            return
        again, _ = await replica.call(sent.method, request, self.person(sent.sender))
        assert refusal_as_answer(again).reason == "REQUEST_ID_REUSED"

    async def close(self, number: int, lot_id: str) -> None:
        lot = self.market.lots[lot_id]
        closable = lot.stage in {Stage.LIVE, Stage.PAUSED}
        expected = YES if closable else Answer.no("STATE_TRANSITION_INVALID")
        request = messages.CloseAuctionRequest(auction_id=lot_id)
        closed = await self.command(number, "CloseAuction", request, self.seller, expected)
        if closed is not None:
            lot.ended_at = time_of(closed.auction.ends_at)

    async def cancel(self, number: int, lot_id: str, *, by_moderator: bool) -> None:
        lot = self.market.lots[lot_id]
        over = lot.stage in {Stage.ENDED, Stage.CANCELLED}
        expected = Answer.no("STATE_TRANSITION_INVALID") if over else YES
        if not over and lot.standing and not by_moderator:
            expected = Answer.no("AUCTION_HAS_BIDS")
        request = messages.CancelAuctionRequest(auction_id=lot_id, reason="It broke.")
        sender = self.moderator if by_moderator else self.seller
        if await self.command(number, "CancelAuction", request, sender, expected) is not None:
            lot.cancelled = True

    async def check(self, lot_id: str) -> None:
        """Check all rows, and what two people are shown of a lot by two replicas."""
        self.steps += 1
        await self.audit.check_rows()
        if lot_id in self.market.lots:
            viewers = [self.seller, *self.bidders]
            for number, replica in enumerate(self.replicas.both):
                viewer = viewers[(self.steps + 2 * number) % len(viewers)]
                await self.audit.check_shown(replica, lot_id, viewer, self.person(viewer))

    async def finish(self) -> None:
        """End a market: what was sold is paid once, and the logs prove it."""
        await asyncio.gather(self.audit.check_paid(), self.audit.check_logs(self.replica(0)))
        open_ids = [i for i, lot in self.market.lots.items() if lot.stage in OPEN_STAGES]
        for lot_id in open_ids:
            await self.cancel(1, lot_id, by_moderator=True)
        await self.audit.check_rows()
