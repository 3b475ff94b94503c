"""A show: its seller queues a few lots, opens one after another, and plans the next show."""

import asyncio
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from blytz_client import Blytz, BlytzCallError, Session
from stack.demo.lots import Lot
from stack.demo.room import Room
from stack.demo.styles import Style, money, reserve_of, terms_of
from stack.demo.tally import Tally
from stack.patience import persist

_LOTS = (Style.LIVE_LOT, Style.LIVE_LOT, Style.DUTCH, Style.LIVE_LOT, Style.SUDDEN_DEATH)
_LOT_S = 30
_BETWEEN_LOTS_S = (4.0, 8.0)
_BETWEEN_SHOWS_S = 10.0
_AFTER_FAULT_S = 3.0
_TITLES = ("Sunday finds", "The long evening", "Attic hour", "Things with a story")


class Evening(Room):
    """Runs shows in a loop; what the visitors see is the lot that is open."""

    def __init__(
        self,
        *,
        blytz: Blytz,
        seller: Session,
        lots: Iterator[Lot],
        tally: Tally,
        chance: random.Random,
    ) -> None:
        super().__init__(blytz=blytz, seller=seller, lots=lots, tally=tally)
        self._chance = chance

    async def run(self) -> None:
        """Hold shows until cancelled. A fault is counted, and the next show tried."""
        while True:
            try:
                await self._hold_one()
            except BlytzCallError as error:
                self.tally.note(error)
                await asyncio.sleep(_AFTER_FAULT_S)
            await asyncio.sleep(_BETWEEN_SHOWS_S)

    async def _hold_one(self) -> None:
        show_id = await self._announce()
        queued: dict[str, Lot] = {}
        for style in _LOTS:
            lot = next(self.lots)
            queued[await self._queue(show_id, lot, style)] = lot
        await self.seller.start_show(show_id)
        for _ in _LOTS:
            opened = await self.seller.open_next_lot(show_id)
            await self.follow(opened.auction_id, queued[opened.auction_id])
            await asyncio.sleep(self._chance.uniform(*_BETWEEN_LOTS_S))
        await self.seller.end_show(show_id)
        self.tally.shows_ended += 1

    async def _announce(self) -> str:
        request_id, title = str(uuid.uuid4()), self._chance.choice(_TITLES)
        starts_at = datetime.now(UTC) + timedelta(minutes=1)
        show = await persist(
            lambda: self.seller.create_show(
                title=title,
                description="Five lots, half a minute each. Bid ahead on what waits.",
                starts_at=starts_at,
                request_id=request_id,
            )
        )
        return show.show_id

    async def _queue(self, show_id: str, lot: Lot, style: Style) -> str:
        request_id = str(uuid.uuid4())
        terms = terms_of(lot, style, lasts_s=_LOT_S)
        terms.lot_duration.CopyFrom(Duration(seconds=_LOT_S))
        reserve_minor = reserve_of(lot, style)
        added = await persist(
            lambda: self.seller.add_lot(
                show_id,
                title=lot.title,
                description=lot.description,
                terms=terms,
                reserve_price=None if reserve_minor is None else money(reserve_minor),
                request_id=request_id,
            )
        )
        return added.auction_id
