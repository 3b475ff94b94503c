"""The whole demonstration: everyone signed in, every room and bot running side by side."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from blytz_client import Blytz, BlytzCallError, Session
from stack.accounts import Accounts, ensure_funds
from stack.demo.bot import FIRST_DEPOSIT_MINOR, Bot
from stack.demo.evening import Evening
from stack.demo.lots import BIDDERS, LOTS, SELLERS, SHOW_SELLER, Lot
from stack.demo.room import Room, SaleRoom
from stack.demo.styles import CURRENCY_CODE, ROUND
from stack.demo.tally import Tally

_AFTER_FAULT_S = 2.0
_STAGGER_S = 1.5


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """How much is going on; `lasts_s` is the shortest and the longest time of an auction.

    `show` says whether a show is on as well.
    """

    auctions: int
    bots: int
    lasts_s: tuple[float, float]
    show: bool = True


class Marketplace:
    """Sellers, rooms and bots on one mesh."""

    def __init__(self, *, blytz: Blytz, accounts: Accounts, options: DemoOptions) -> None:
        self._sale_rooms: list[SaleRoom] = []
        self._evening: Evening | None = None
        self.tally = Tally()
        self._blytz = blytz
        self._accounts = accounts
        self._options = options
        self._chance = random.Random()  # noqa: S311 - moods, no secrets

    async def open(self) -> None:
        """Sign the sellers in and prepare the rooms."""
        sellers = await asyncio.gather(*map(self._seller, SELLERS[: self._options.auctions]))
        lots = self._endless_lots()
        taking_turns = zip(itertools.cycle(sellers), itertools.cycle(ROUND), strict=False)
        self._sale_rooms = [
            SaleRoom(
                blytz=self._blytz,
                seller=seller,
                lots=lots,
                tally=self.tally,
                style=style,
                lasts_s=self._options.lasts_s,
                chance=self._chance,
            )
            for seller, style in itertools.islice(taking_turns, self._options.auctions)
        ]
        if self._options.show:
            self._evening = Evening(
                blytz=self._blytz,
                seller=await self._seller(SHOW_SELLER),
                lots=lots,
                tally=self.tally,
                chance=self._chance,
            )

    @property
    def rooms(self) -> list[Room]:
        """Every room that people may enter, that of the show first."""
        return [*([] if self._evening is None else [self._evening]), *self._sale_rooms]

    async def run(self) -> None:
        """Let everything happen until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self._evening is not None:
                group.create_task(self._evening.run())
            for number, room in enumerate(self._sale_rooms):
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
