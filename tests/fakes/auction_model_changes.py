"""The further steps of a market: bids taken back, people barred, shows run, replicas lost."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from blytz.auction.v1 import auction_service_pb2 as messages
from blytz.auction.v1 import show_service_pb2 as show_messages
from fakes.auction_model_audit import time_of
from fakes.auction_model_driver import Driver, Sent, refusal_as_answer, timestamp_of
from fakes.auction_model_market import YES, Answer, Show
from fakes.auction_model_plans import Amount, Plan, described, duration_of, usd
from fakes.auction_model_rules import Stage
from fakes.auction_replicas import Replica, is_unknown
from fakes.auction_shards import utc_now
from fakes.mesh import Refusal
from kernel.ids import new_id

LOT_DURATION = timedelta(minutes=40)


@dataclass(frozen=True)
class Loss:
    """How a replica is lost, and after how many turns of the loop: anywhere in what it does."""

    kind: str
    turns: int


class FullDriver(Driver):
    """Takes all steps."""

    async def retract(
        self, number: int, lot_id: str, bidder: str, which: int, *, described: bool
    ) -> None:
        """Take a bid back; whoever would lead then and cannot pay loses theirs."""
        lot = self.market.lots[lot_id]
        own = [bid.bid_id for bid in lot.accepted if bid.bidder == bidder]
        bid_id = own[-1 - which % len(own)] if own else new_id()
        request = messages.RetractBidRequest(
            request_id=new_id(),
            auction_id=lot_id,
            bid_id=bid_id,
            reason=messages.RetractionReason.ValueType(1 + described),
        )
        now = utc_now()
        expected, gone = self.market.retractable(lot, bidder, bid_id, now, described=described)
        lapsed = self.market.lapsed(lot_id, gone) if gone else []
        taken = await self.command(number, "RetractBid", request, bidder, expected)
        if taken is None:
            return
        for bid in [*gone, *lapsed]:
            bid.gone = True
        self.sent.append(Sent("RetractBid", request, bidder, answer=taken))
        assert list(taken.retracted_bid_ids) == [bid.bid_id for bid in gone]
        assert taken.price.amount_minor == lot.shown_price

    async def describe(self, number: int, lot_id: str) -> None:
        lot = self.market.lots[lot_id]
        over = lot.stage in {Stage.ENDED, Stage.CANCELLED}
        expected = Answer.no("STATE_TRANSITION_INVALID") if over else YES
        request = messages.UpdateAuctionRequest(auction_id=lot_id, description=new_id())
        if await self.command(number, "UpdateAuction", request, self.seller, expected):
            lot.described_at = utc_now()

    async def bar(self, number: int, bidder: str, *, barred: bool) -> None:
        if barred:
            block = messages.BlockBidderRequest(bidder_id=bidder)
            await self.command(number, "BlockBidder", block, self.seller, YES)
            self.market.blocked.add((self.seller, bidder))
        else:
            unblock = messages.UnblockBidderRequest(bidder_id=bidder)
            await self.command(number, "UnblockBidder", unblock, self.seller, YES)
            self.market.blocked.discard((self.seller, bidder))

    async def create_show(self, number: int, limit: int | None) -> None:
        request = show_messages.CreateShowRequest(
            request_id=new_id(), title="An evening", starts_at=timestamp_of(utc_now())
        )
        if limit is not None:
            request.bidder_limit.CopyFrom(usd(limit))
        created = await self.command(number, "CreateShow", request, self.seller, YES)
        self.sent.append(Sent("CreateShow", request, self.seller, answer=created))
        self.market.shows[created.show.show_id] = Show(self.seller, limit)

    @property
    def show_id(self) -> str:
        """The latest show."""
        return list(self.market.shows)[-1]

    async def add_lot(self, number: int, plan: Plan) -> None:
        show, rules = self.market.shows[self.show_id], plan.rules
        request = show_messages.AddLotRequest(
            request_id=new_id(),
            show_id=self.show_id,
            new_lot=show_messages.NewLot(**described(rules)),
        )
        expected = Answer.no("SHOW_STATE_INVALID") if show.stage == "ENDED" else YES
        expected = Answer.no("TERMS_INVALID") if rules.contradictory else expected
        added = await self.command(number, "AddLot", request, self.seller, expected)
        if added is not None:
            lot_id = added.lot.auction_id
            lot = self.market.add_lot(self.show_id, lot_id, rules)
            assert (added.lot.state, list(added.show.lot_ids)) == (lot.stage, show.lots)

    async def run_show(self, number: int, method: str) -> str:
        """Start or end the latest show, or open, pause or resume its lot; return the lot's id."""
        show, show_id = self.market.shows[self.show_id], self.show_id
        expected, lot_id = self.market.show_answer(show_id, method)
        request = getattr(show_messages, f"{method}Request")(show_id=show_id)
        if method == "OpenNextLot":
            request.duration.CopyFrom(duration_of(LOT_DURATION))
        done = await self.command(number, method, request, self.seller, expected)
        if done is None:
            return lot_id
        if method == "StartShow":
            show.stage = "LIVE"
        elif method == "EndShow":
            show.stage = "ENDED"
            self.market.end_lots(show_id, time_of(done.show.ended_at))
        else:
            self._turn(lot_id, method, done.lot)
        return lot_id

    def _turn(self, lot_id: str, method: str, shown: Any) -> None:
        """Let a lot's clock start, stop or go on as the service says that it did."""
        lot = self.market.lots[lot_id]
        if method == "OpenNextLot":
            lot.opened_at = time_of(shown.starts_at)
            lot.announced_end = lot.opened_at + LOT_DURATION
        elif method == "PauseLot":
            lot.pauses.append((time_of(shown.paused_at), None))
        else:
            began = lot.pauses[-1][0]
            before = sum((e - b for b, e in lot.pauses if e is not None), timedelta(0))
            ended = began + shown.paused_for.ToTimedelta() - before
            assert began <= ended <= utc_now() + timedelta(milliseconds=2)
            lot.pauses[-1] = (began, ended)

    async def bid_at_once(
        self, number: int, lot_id: str, drawn: Sequence[Amount], loss: Loss
    ) -> None:
        """Have all bidders bid at once on one lot while a replica may be lost.

        Whoever gets no answer asks again. What was committed came in some order, in which each of
        them was right, and so was each refusal at some place in that order.
        """
        began, replica = utc_now(), self.replica(number)
        wishes = [self.wish(lot_id, b, a) for b, a in zip(self.bidders, drawn, strict=True)]
        flight = [Sent(*self.bid_request(wish), wish.bidder, wish) for wish in wishes]
        outcomes = await self._fly(number, flight, loss)
        await self._recover(replica, lot_id)
        committed = await self._committed(flight)
        answers: dict[str, Any] = {}
        for request_id, _ in committed:
            sent = next(s for s in flight if s.request.request_id == request_id)
            again, _ = await replica.call(sent.method, sent.request, self.person(sent.sender))
            assert not isinstance(again, Refusal), again
            answers[request_id] = again
        possible = [self._answers(flight, began)]
        for request_id, at in committed:
            sent = next(s for s in flight if s.request.request_id == request_id)
            assert sent.wish is not None
            assert self.market.answer(sent.wish, at) == YES
            self.enter(sent, answers[request_id], at)
            possible.append(self._answers(flight, began))
        for place, (sent, outcome) in enumerate(zip(flight, outcomes, strict=True)):
            if sent.request.request_id in answers:
                first = answers[sent.request.request_id]
                assert is_unknown(outcome) or outcome == first
            elif is_unknown(outcome):
                await self.send_bid(number + 1, sent)
            else:
                answer = refusal_as_answer(outcome)
                assert any(answer in moment[place] for moment in possible), (sent, answer)

    def _answers(self, flight: Sequence[Sent], began: datetime) -> list[set[Answer]]:
        """Return what each of some bids may be answered as the market stands."""
        return [
            {
                self.market.answer(sent.wish, at)
                for at in self.moments(sent.wish.lot, began)
                if sent.wish is not None
            }
            for sent in flight
            if sent.wish is not None
        ]

    async def _fly(self, number: int, flight: Sequence[Sent], loss: Loss) -> list[Any]:
        replica = self.replica(number)
        if loss.kind == "answer":
            replica.wire.lose_commit(1 + loss.turns % 3)
        calls = [
            asyncio.create_task(
                # The last goes through the other replica, and meets the first ones in the database.
                self.replica(number + (place == len(flight) - 1)).once(
                    sent.method, sent.request, self.person(sent.sender)
                )
            )
            for place, sent in enumerate(flight)
        ]
        for _ in range(loss.turns):
            await asyncio.sleep(0.0005)
        if loss.kind == "process":
            replica.die()
        elif loss.kind == "backends":
            await self.replicas.end_backends_of(replica)
        outcomes = await asyncio.gather(*calls)
        replica.wire.lose_commit(0)
        return outcomes

    async def _recover(self, replica: Replica, lot_id: str) -> None:
        """Wait until the replica answers again and nothing is under way."""
        await self.replicas.rows("select from books where auction_id = %(id)s for update",
                                 {"id": lot_id})  # fmt: skip
        await replica.call("GetAuction", messages.GetAuctionRequest(auction_id=lot_id),
                           self.person(self.seller))  # fmt: skip
        await self.replicas.carry_out(self.bidders)

    async def _committed(self, flight: Sequence[Sent]) -> list[tuple[str, datetime]]:
        """Return which of some requests were committed, in their order, and when."""
        rows = await self.replicas.rows(
            "select request_id, placed_at from bids"
            " where request_id = any(%(ids)s::uuid[]) order by sequence",
            {"ids": [sent.request.request_id for sent in flight]},
        )
        return [(row[0], row[1]) for row in rows]
