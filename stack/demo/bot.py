"""A bot that bids like a person: it likes some things, hesitates, nibbles, and hurries at the end.

What a thing is worth to it is its own; so is its temper. A nibbler bids the least that is accepted,
a proxy bidder names its maximum early, a sniper waits for the last seconds.
"""

import asyncio
import random
import uuid
from collections.abc import Sequence
from enum import Enum, auto

import grpc

from blytz_client import BlytzCallError, Session
from stack.accounts import deposit
from stack.demo.lots import Lot
from stack.demo.room import Room
from stack.demo.styles import CURRENCY_CODE
from stack.demo.tally import Tally

FIRST_DEPOSIT_MINOR = 5_000_00
_TASTE = (0.55, 1.25)
_THINKING_S_MEDIAN = 2.6
_THINKING_S_SIGMA = 0.7
_THINKING_S_MAX = 12.0
_HURRY_S = 12.0
_JUMP_CHANCE = 0.25
_FIRST_MAXIMUM = (0.35, 0.7)
_TEMPERS = (6, 2, 2)
"""How many of ten are nibblers, proxy bidders and snipers."""
_AT_ONCE_CHANCE = 0.04
_AFTER_FAULT_S = 1.0
_MEMORY_MAX = 500
_DEAR_MINOR = 100_00


class Temper(Enum):
    """How somebody bids."""

    NIBBLER = auto()
    PROXY = auto()
    SNIPER = auto()


class Bot:
    """One bidder with a session of its own."""

    def __init__(self, *, session: Session, tally: Tally, chance: random.Random) -> None:
        self._session = session
        self._tally = tally
        self._chance = chance
        (self._temper,) = chance.choices(list(Temper), weights=_TEMPERS)
        # By auction: what it is worth to me, and as whom I bid there.
        self._worth_minor: dict[str, int] = {}
        self._alias: dict[str, str] = {}

    async def run(self, rooms: Sequence[Room]) -> None:
        """Look around and bid until cancelled; a refusal is part of life."""
        while True:
            room = self._choose(rooms)
            await asyncio.sleep(self._thinking_s(room))
            if room is None or not room.open:
                continue
            try:
                if self._wants_at_once(room):
                    await self._buy(room)
                elif (maximum_minor := self._decide(room)) is not None:
                    await self._bid(room, maximum_minor)
            except BlytzCallError as error:
                await self._take_refusal(error)

    def _choose(self, rooms: Sequence[Room]) -> Room | None:
        """Return a room with something to bid on, rather one that ends soon."""
        open_rooms = [room for room in rooms if room.open]
        if not open_rooms:
            return None
        urgency = [1.0 / (5.0 + room.view.left_s) for room in open_rooms]
        return self._chance.choices(open_rooms, weights=urgency)[0]

    def _thinking_s(self, room: Room | None) -> float:
        """Return how long it takes to make up one's mind; at the end people are quicker."""
        seconds = self._chance.lognormvariate(0.0, _THINKING_S_SIGMA) * _THINKING_S_MEDIAN
        if room is not None and room.view.left_s < _HURRY_S:
            seconds /= 3
        return min(_THINKING_S_MAX, seconds)

    def _wants_at_once(self, room: Room) -> bool:
        """Say whether to buy at the buy-now price: now and then, if it is worth it."""
        auction = room.view.auction
        if not auction.buy_now_offered or room.lot is None:
            return False
        fair = auction.terms.buy_now.price.amount_minor <= self._worth(room, room.lot)
        return fair and self._chance.random() < _AT_ONCE_CHANCE

    def _decide(self, room: Room) -> int | None:
        """Return what to bid now, None to let it be."""
        auction, lot = room.view.auction, room.lot
        own = self._alias.get(auction.auction_id, "nobody")
        if lot is None or auction.leader_alias == own:
            return None
        worth_minor = self._worth(room, lot)
        if room.view.falls:
            return room.view.price_minor if room.view.price_minor <= worth_minor else None
        if room.view.sealed:
            # One honest bid; a person does not raise against nobody.
            fits = worth_minor >= auction.minimum_next_bid.amount_minor
            return worth_minor if fits and own == "nobody" else None
        return self._ascend(room, worth_minor)

    def _worth(self, room: Room, lot: Lot) -> int:
        """Return what the thing is worth to this bot, which it makes up once."""
        if len(self._worth_minor) > _MEMORY_MAX:
            self._worth_minor.clear()
            self._alias.clear()
        return self._worth_minor.setdefault(
            room.view.auction.auction_id,
            _round_number(int(lot.worth_minor * self._chance.uniform(*_TASTE))),
        )

    def _ascend(self, room: Room, worth_minor: int) -> int | None:
        """Return what to bid where people outbid each other."""
        auction = room.view.auction
        minimum_minor = auction.minimum_next_bid.amount_minor
        if minimum_minor > worth_minor:
            return None
        if self._temper is Temper.SNIPER:
            return worth_minor if room.view.left_s < _HURRY_S else None
        if self._temper is Temper.PROXY:
            wished_minor = _round_number(int(worth_minor * self._chance.uniform(*_FIRST_MAXIMUM)))
            return wished_minor if wished_minor >= minimum_minor else worth_minor
        if self._chance.random() < _JUMP_CHANCE:
            step_minor = max(1_00, minimum_minor // 8)
            return min(worth_minor, _round_number(minimum_minor + step_minor))
        return minimum_minor

    async def _bid(self, room: Room, maximum_minor: int) -> None:
        auction_id = room.view.auction.auction_id
        response = await self._session.place_bid(
            auction_id,
            maximum_minor=maximum_minor,
            currency_code=CURRENCY_CODE,
            request_id=str(uuid.uuid4()),
        )
        self._alias[auction_id] = response.bid.bidder_alias
        self._tally.bids += 1

    async def _buy(self, room: Room) -> None:
        auction = room.view.auction
        response = await self._session.buy_now(
            auction.auction_id,
            price_minor=auction.terms.buy_now.price.amount_minor,
            currency_code=CURRENCY_CODE,
        )
        self._alias[auction.auction_id] = response.bid.bidder_alias
        self._tally.bids += 1

    async def _take_refusal(self, error: BlytzCallError) -> None:
        """Count it, and do what it asks for: money, or a pause."""
        self._tally.note(error)
        if error.reason == "INSUFFICIENT_FUNDS":
            try:
                await deposit(
                    self._session, amount_minor=FIRST_DEPOSIT_MINOR, currency_code=CURRENCY_CODE
                )
            except BlytzCallError as failure:
                self._tally.note(failure)
            else:
                self._tally.deposits += 1
        elif error.retry_after_s is not None:
            await asyncio.sleep(error.retry_after_s)
        elif error.status is not grpc.StatusCode.FAILED_PRECONDITION:
            await asyncio.sleep(_AFTER_FAULT_S)


def _round_number(amount_minor: int) -> int:
    """Return the amount as people say it: whole units, above 100 in fives."""
    unit_minor = 5_00 if amount_minor >= _DEAR_MINOR else 1_00
    return -(-amount_minor // unit_minor) * unit_minor
