"""Plays one recorded auction on a running mesh: create, start, every bid in its order, close."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import grpc

from blytz.auction.v1.auction_pb2 import (
    Auction,
    AuctionFormat,
    AuctionState,
    AuctionTerms,
    FundingPolicy,
)
from blytz.common.v1.money_pb2 import Money
from blytz_client import Blytz, BlytzCallError, Session
from stack.accounts import DEPOSIT_MINOR_MAX, deposit
from stack.failure import CommandFailed
from stack.patience import OUTCOME_UNKNOWN, PATIENCE_S, persist, queue
from stack.replay.evidence import Acknowledgement
from stack.replay.feed_witness import FeedWitness
from stack.replay.recording import CURRENCY_CODE, RecordedAuction, RecordedBid

_RUNS_FOR = timedelta(days=29)
"""The seller closes it long before; the contract takes up to 30 days."""


@dataclass(slots=True)
class Performance:
    """How one auction went.

    ``rejected`` bids were below the minimum next bid, ``not_raised`` ones were a leader's that did
    not exceed their own maximum. ``winning_maximum_minor`` is the highest accepted maximum.
    """

    recorded: RecordedAuction
    auction_id: str
    price_minor: int = 0
    acknowledged: list[Acknowledgement] = field(default_factory=list)
    rejected: int = 0
    not_raised: int = 0
    winning_maximum_minor: int = 0
    last_sequence: int = 0
    witness: FeedWitness | None = None

    @property
    def exact(self) -> bool:
        """Whether it ended at the recorded price, to the cent."""
        return self.price_minor == self.recorded.final_minor

    @property
    def suggests_reserve(self) -> bool:
        """Whether a hidden reserve explains why it did not: the winner paid their whole maximum."""
        return not self.exact and self.recorded.final_minor == self.winning_maximum_minor


@dataclass(frozen=True, slots=True)
class Stage:
    """What an auction is played with.

    ``speed`` is how many times faster than it was, None for as fast as the answers come.
    """

    blytz: Blytz
    seller: Session
    people: Mapping[str, Session]
    speed: float | None
    watched: bool

    async def perform(
        self, recorded: RecordedAuction, *, reserve_minor: int | None = None
    ) -> Performance:
        """Play the auction, with its recorded bidders played by ``people``."""
        auction_id = await self._create(recorded, reserve_minor)
        await self._start(auction_id)
        performance = Performance(recorded=recorded, auction_id=auction_id)
        async with AsyncExitStack() as stack:
            if self.watched:
                witness = FeedWitness(self.blytz, auction_id)
                performance.witness = await stack.enter_async_context(witness)
            began_s = time.monotonic()
            for bid in recorded.bids:
                if self.speed is not None:
                    await _sleep_until(began_s + bid.at_s / self.speed)
                await self._bid(performance, bid)
            ended = await self._close(auction_id)
            performance.price_minor = ended.price.amount_minor
            performance.last_sequence = ended.position.sequence
            if performance.witness is not None:
                await performance.witness.finish(ended.position.sequence)
        return performance

    async def _create(self, recorded: RecordedAuction, reserve_minor: int | None) -> str:
        request_id = str(uuid.uuid4())
        reserve = None if reserve_minor is None else _money(reserve_minor)
        terms = AuctionTerms(
            format=AuctionFormat.AUCTION_FORMAT_ENGLISH,
            opening_price=_money(recorded.opening_minor),
            funding_policy=FundingPolicy.FUNDING_POLICY_WALLET_HOLD,
        )
        auction = await persist(
            lambda: self.seller.create_auction(
                title=f"{recorded.item} (replay of {recorded.recorded_id})",
                description="A recorded auction, played again bid by bid.",
                terms=terms,
                reserve_price=reserve,
                request_id=request_id,
            )
        )
        return auction.auction_id

    async def _start(self, auction_id: str) -> None:
        """Start it; where the outcome is unknown, look before doing it again."""
        give_up_at_s = time.monotonic() + PATIENCE_S
        while True:
            ends_at = datetime.now(UTC) + _RUNS_FOR
            try:
                await queue(partial(self.seller.start_auction, auction_id, ends_at=ends_at))
            except BlytzCallError as error:
                if not _may_have_worked(error) or time.monotonic() > give_up_at_s:
                    raise
            else:
                return
            if (await self._look(auction_id)).state == AuctionState.AUCTION_STATE_LIVE:
                return

    async def _close(self, auction_id: str) -> Auction:
        """Close it; where the outcome is unknown, look before doing it again."""
        give_up_at_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await queue(lambda: self.seller.close_auction(auction_id))
            except BlytzCallError as error:
                if not _may_have_worked(error) or time.monotonic() > give_up_at_s:
                    raise
            auction = await self._look(auction_id)
            if auction.state == AuctionState.AUCTION_STATE_ENDED:
                return auction

    async def _look(self, auction_id: str) -> Auction:
        response = await persist(lambda: self.seller.get_auction(auction_id))
        return response.auction

    async def _bid(self, performance: Performance, bid: RecordedBid) -> None:
        person = self.people[bid.bidder]
        request_id = str(uuid.uuid4())
        while True:
            try:
                response = await persist(
                    lambda: person.place_bid(
                        performance.auction_id,
                        maximum_minor=bid.maximum_minor,
                        currency_code=CURRENCY_CODE,
                        request_id=request_id,
                        patience_s=0.0,
                    )
                )
            except BlytzCallError as error:
                if error.reason == "INSUFFICIENT_FUNDS":
                    # Power that a replay before this one left held is missing here.
                    await deposit(
                        person, amount_minor=DEPOSIT_MINOR_MAX, currency_code=CURRENCY_CODE
                    )
                    continue
                _count_refusal(performance, error)
            else:
                acknowledgement = Acknowledgement.of(request_id, response)
                performance.acknowledged.append(acknowledgement)
                performance.winning_maximum_minor = max(
                    performance.winning_maximum_minor, bid.maximum_minor
                )
            return


def _count_refusal(performance: Performance, error: BlytzCallError) -> None:
    if error.reason == "BID_TOO_LOW":
        performance.rejected += 1
    elif error.reason == "MAXIMUM_NOT_RAISED":
        performance.not_raised += 1
    else:
        recorded_id = performance.recorded.recorded_id
        raise CommandFailed(f"A bid on {recorded_id} was refused: {error}") from error


def _may_have_worked(error: BlytzCallError) -> bool:
    """Tell whether the state of the auction has to be looked at: an answer may have been lost."""
    repeated = (
        error.status is grpc.StatusCode.FAILED_PRECONDITION
        and error.reason == "STATE_TRANSITION_INVALID"
    )
    return error.status in OUTCOME_UNKNOWN or repeated


async def _sleep_until(moment_s: float) -> None:
    await asyncio.sleep(max(0.0, moment_s - time.monotonic()))


def _money(amount_minor: int) -> Money:
    return Money(currency_code=CURRENCY_CODE, amount_minor=amount_minor)
