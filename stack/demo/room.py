"""A room: one auction after another, each watched so that everyone inside knows how it stands."""

import asyncio
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from blytz.auction.v1.auction_pb2 import AuctionOutcome
from blytz_client import Blytz, BlytzCallError, Session
from stack.auction_view import AuctionView
from stack.demo.lots import Lot
from stack.demo.styles import Style, money, reserve_of, terms_of
from stack.demo.tally import Tally
from stack.patience import persist

_PAUSE_S = (2.0, 6.0)
_AFTER_FAULT_S = 2.0
_SALES = frozenset({AuctionOutcome.AUCTION_OUTCOME_SOLD, AuctionOutcome.AUCTION_OUTCOME_BOUGHT_NOW})


class Room:
    """Where people look on: `lot` and `view` are those of the present auction."""

    def __init__(self, *, blytz: Blytz, seller: Session, lots: Iterator[Lot], tally: Tally) -> None:
        self.lot: Lot | None = None
        self.view = AuctionView()
        self.seller = seller
        self.lots = lots
        self.tally = tally
        self._blytz = blytz

    @property
    def open(self) -> bool:
        """Whether there is something to bid on."""
        return self.view.live and self.view.left_s > 0

    async def follow(self, auction_id: str, lot: Lot) -> None:
        """Look on at an auction to its end."""
        self.tally.auctions_started += 1
        self.lot, self.view = lot, AuctionView()
        async with self._blytz.watch_auction(auction_id) as feed:
            async for frame in feed:
                self.view.apply(frame)
                if self.view.over:
                    break
        self.tally.auctions_ended += 1
        self.tally.auctions_sold += self.view.auction.outcome in _SALES


class SaleRoom(Room):
    """Holds auctions of one style in a loop."""

    def __init__(
        self,
        *,
        blytz: Blytz,
        seller: Session,
        lots: Iterator[Lot],
        tally: Tally,
        style: Style,
        lasts_s: tuple[float, float],
        chance: random.Random,
    ) -> None:
        super().__init__(blytz=blytz, seller=seller, lots=lots, tally=tally)
        self._style = style
        self._lasts_s = lasts_s
        self._chance = chance

    async def run(self, *, first_after_s: float) -> None:
        """Hold auctions until cancelled. A fault is counted, and the next auction tried."""
        await asyncio.sleep(first_after_s)
        while True:
            try:
                lot = next(self.lots)
                await self.follow(await self._open(lot), lot)
            except BlytzCallError as error:
                self.tally.note(error)
                await asyncio.sleep(_AFTER_FAULT_S)
            await asyncio.sleep(self._chance.uniform(*_PAUSE_S))

    async def _open(self, lot: Lot) -> str:
        request_id = str(uuid.uuid4())
        lasts_s = self._chance.uniform(*self._lasts_s)
        reserve_minor = reserve_of(lot, self._style)
        auction = await persist(
            lambda: self.seller.create_auction(
                title=lot.title,
                description=lot.description,
                terms=terms_of(lot, self._style, lasts_s=lasts_s),
                reserve_price=None if reserve_minor is None else money(reserve_minor),
                request_id=request_id,
            )
        )
        ends_at = datetime.now(UTC) + timedelta(seconds=lasts_s)
        await self.seller.start_auction(auction.auction_id, ends_at=ends_at)
        return auction.auction_id
