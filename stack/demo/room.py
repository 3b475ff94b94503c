"""A room: one auction after another, each watched so that everyone inside knows how it stands."""

import asyncio
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from blytz.auction.v1.auction_pb2 import (
    AuctionFormat,
    AuctionOutcome,
    AuctionTerms,
    FundingPolicy,
    SoftClose,
)
from blytz.common.v1.money_pb2 import Money
from blytz_client import Blytz, BlytzCallError, Session
from stack.auction_view import AuctionView
from stack.demo.lots import Lot
from stack.demo.tally import Tally
from stack.patience import persist

CURRENCY_CODE = "USD"
_SOFT_CLOSE_S = 10
_EXTENSIONS_MAX = 12
_PAUSE_S = (2.0, 6.0)
_AFTER_FAULT_S = 2.0


class Room:
    """Runs auctions in a loop; `lot` and `view` are those of the present one."""

    def __init__(
        self,
        *,
        blytz: Blytz,
        seller: Session,
        lots: Iterator[Lot],
        lasts_s: tuple[float, float],
        tally: Tally,
        chance: random.Random,
    ) -> None:
        self.lot: Lot | None = None
        self.view = AuctionView()
        self._blytz = blytz
        self._seller = seller
        self._lots = lots
        self._lasts_s = lasts_s
        self._tally = tally
        self._chance = chance

    @property
    def open(self) -> bool:
        """Whether there is something to bid on."""
        return self.view.live and self.view.left_s > 0

    async def run(self, *, first_after_s: float) -> None:
        """Hold auctions until cancelled. A fault is counted, and the next auction tried."""
        await asyncio.sleep(first_after_s)
        while True:
            try:
                await self._hold_one(next(self._lots))
            except BlytzCallError as error:
                self._tally.note(error)
                await asyncio.sleep(_AFTER_FAULT_S)
            await asyncio.sleep(self._chance.uniform(*_PAUSE_S))

    async def _hold_one(self, lot: Lot) -> None:
        auction_id = await self._open(lot)
        self._tally.auctions_started += 1
        self.lot, self.view = lot, AuctionView()
        async with self._blytz.watch_auction(auction_id) as feed:
            async for frame in feed:
                self.view.apply(frame)
                if self.view.over:
                    break
        self._tally.auctions_ended += 1
        sold = self.view.auction.outcome == AuctionOutcome.AUCTION_OUTCOME_SOLD
        self._tally.auctions_sold += sold

    async def _open(self, lot: Lot) -> str:
        request_id = str(uuid.uuid4())
        reserve = None if lot.reserve_minor is None else _money(lot.reserve_minor)
        auction = await persist(
            lambda: self._seller.create_auction(
                title=lot.title,
                description=lot.description,
                terms=_terms(lot),
                reserve_price=reserve,
                request_id=request_id,
            )
        )
        ends_at = datetime.now(UTC) + timedelta(seconds=self._chance.uniform(*self._lasts_s))
        await self._seller.start_auction(auction.auction_id, ends_at=ends_at)
        return auction.auction_id


def _terms(lot: Lot) -> AuctionTerms:
    return AuctionTerms(
        format=AuctionFormat.AUCTION_FORMAT_ENGLISH,
        opening_price=_money(lot.opening_minor),
        funding_policy=FundingPolicy.FUNDING_POLICY_WALLET_HOLD,
        soft_close=SoftClose(
            extend_within=Duration(seconds=_SOFT_CLOSE_S),
            extend_by=Duration(seconds=_SOFT_CLOSE_S),
            extensions_max=_EXTENSIONS_MAX,
        ),
    )


def _money(amount_minor: int) -> Money:
    return Money(currency_code=CURRENCY_CODE, amount_minor=amount_minor)
