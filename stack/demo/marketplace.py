"""The whole demonstration: everyone signed in, every room and bot running side by side."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from blytz_client import Blytz, BlytzCallError, Session
from stack.accounts import Accounts, ensure_funds
from stack.demo.bot import FIRST_DEPOSIT_MINOR, Bot
from stack.demo.lots import BIDDERS, LOTS, SELLERS, Lot
from stack.demo.room import CURRENCY_CODE, Room
from stack.demo.tally import Tally

_AFTER_FAULT_S = 2.0
_STAGGER_S = 1.5


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """How much is going on; `lasts_s` is the shortest and the longest time of an auction."""

    auctions: int
    bots: int
    lasts_s: tuple[float, float]


class Marketplace:
    """Sellers, rooms and bots on one mesh."""

    def __init__(self, *, blytz: Blytz, accounts: Accounts, options: DemoOptions) -> None:
        self.rooms: list[Room] = []
        self.tally = Tally()
        self._blytz = blytz
        self._accounts = accounts
        self._options = options
        self._chance = random.Random()  # noqa: S311 - moods, no secrets

    async def open(self) -> None:
        """Sign the sellers in and prepare the rooms."""
        sellers = await asyncio.gather(*map(self._seller, SELLERS[: self._options.auctions]))
        lots = self._endless_lots()
        self.rooms = [
            Room(
                blytz=self._blytz,
                seller=seller,
                lots=lots,
                lasts_s=self._options.lasts_s,
                tally=self.tally,
                chance=self._chance,
            )
            for seller in itertools.islice(itertools.cycle(sellers), self._options.auctions)
        ]

    async def run(self) -> None:
        """Let everything happen until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number, room in enumerate(self.rooms):
                group.create_task(room.run(first_after_s=number * _STAGGER_S))
            for number in range(self._options.bots):
                group.create_task(self._run_bot(number))

    async def _run_bot(self, number: int) -> None:
        """Sign a bot in, pay in for it, and let it bid."""
        session = await self._insist(lambda: self._bidder(number))
        bot = Bot(session=session, tally=self.tally, chance=self._chance)
        await bot.run(self.rooms)

    async def _seller(self, name: str) -> Session:
        return await self._accounts.sign_in_seller(self._blytz, f"demo/{name}", display_name=name)

    async def _bidder(self, number: int) -> Session:
        name = BIDDERS[number % len(BIDDERS)]
        if number >= len(BIDDERS):
            name += f" {number // len(BIDDERS) + 1}"
        session = await self._accounts.sign_in(self._blytz, f"demo/{name}", display_name=name)
        added_minor = await ensure_funds(
            session,
            needed_minor=FIRST_DEPOSIT_MINOR,
            currency_code=CURRENCY_CODE,
            at_a_time_minor=FIRST_DEPOSIT_MINOR,
        )
        self.tally.deposits += added_minor > 0
        return session

    async def _insist(self, call: Callable[[], Awaitable[Session]]) -> Session:
        while True:
            try:
                return await call()
            except BlytzCallError as error:
                self.tally.note(error)
                await asyncio.sleep(_AFTER_FAULT_S)

    def _endless_lots(self) -> Iterator[Lot]:
        """Yield every lot in some order, then again in another."""
        while True:
            yield from self._chance.sample(LOTS, len(LOTS))
