"""Shows in Postgres: each with all its lots on the shard that its id carries."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from kernel.errors import RequestIdReused
from kernel.ids import new_id
from servicekit.events.outbox import append
from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.ports import ListPosition
from svc_auction.application.show_ports import NewShow, WholeShow
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import State
from svc_auction.domain.errors import AuctionNotFound, ShardUnavailable
from svc_auction.domain.show import Show, ShowState
from svc_auction.domain.show_errors import ShowNotFound
from svc_auction.domain.show_events import ShowEvent
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.rows import to_auction
from svc_auction.infrastructure.shards import Shard, Shards
from svc_auction.infrastructure.show_change import ShardShowChange
from svc_auction.infrastructure.show_mapping import show_event
from svc_auction.infrastructure.show_rows import show_parameters, to_show

_queries = load("svc_auction.infrastructure", "shows.sql")
_FIRST = ListPosition(datetime(1970, 1, 1, tzinfo=UTC), "00000000-0000-0000-0000-000000000000")
_LAST = ListPosition(datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")


class PostgresShows:
    """All shows, whatever their shard."""

    def __init__(self, *, shards: Shards, aliases: Aliases) -> None:
        self._shards = shards
        self._aliases = aliases

    async def create(self, new: NewShow) -> Show:
        """Announce a show, or return it as the same request announced it before."""
        show = await self._announced_before(new)
        if show is not None:
            return show
        shard = self._shards.for_new(new.request_id)
        async with shard.transaction() as connection:
            show, event = _announce(new, new_id(shard=shard.number), await _clock(connection))
            inserted = await connection.execute(
                _queries["insert_show"],
                {
                    **show_parameters(show),
                    "request_id": new.request_id,
                    "body_hash": new.body_hash,
                },
            )
            created = await inserted.fetchone() is not None
            if created:
                await append(connection, [show_event(show, event)])
        if created:
            shard.relay.wake()
            return show
        # The same request came in twice at once, and the other one was first.
        return await self._announced_before(new) or show

    async def _announced_before(self, new: NewShow) -> Show | None:
        """Return the show as it was announced: as the request says, whatever has changed since.

        Only the shard that the request goes to now must be there.
        """
        target = self._shards.for_new(new.request_id)
        answers = await asyncio.gather(
            *(shard.ask(partial(_select_announced, new)) for shard in self._shards),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, Show):
                return answer
        for shard, answer in zip(self._shards, answers, strict=True):
            away = isinstance(answer, ShardUnavailable) and shard is not target
            if isinstance(answer, BaseException) and not away:
                raise answer
        return None

    @asynccontextmanager
    async def change(
        self, show_id: str, seller_id: str, *, lots_in: Collection[State] = ()
    ) -> AsyncIterator[ShardShowChange]:
        """Lock a seller's show, then its lots in the given states; commit at the end.

        The show comes before its books, and those come in id order and before bidding power, so
        that no two changes and no lane ever wait for each other in a circle.
        """
        shard = self._shard_of(show_id)
        async with shard.transaction() as connection:
            found = await connection.execute(_queries["lock_show"], (show_id, seller_id))
            show = to_show(await _one(found))
            lots: list[Auction] = []
            if lots_in:
                rows = await connection.execute(
                    _queries["lock_lots"], (show_id, sorted(map(int, lots_in)))
                )
                lots = _in_order(show, [to_auction(row) for row in await rows.fetchall()])
            change = ShardShowChange(
                connection=connection,
                show=show,
                lots=lots,
                now=await _clock(connection),
                aliases=self._aliases,
                announcements=shard.announcements,
            )
            yield change
            await change.save()
        shard.relay.wake()

    async def get(self, show_id: str, *, viewer_id: str | None) -> WholeShow:
        """Return a show with its lots as they are committed."""
        async with self._shard_of(show_id).transaction() as connection:
            found = await connection.execute(
                _queries["select_show"], {"show_id": show_id, "viewer_id": viewer_id}
            )
            *columns, bookmarked = await _one(found)
            show = to_show(tuple(columns))
            rows = await connection.execute(_queries["select_lots"], (list(show.lot_ids),))
            lots = [to_auction(row) for row in await rows.fetchall()]
        return WholeShow(show, _in_order(show, lots), bookmarked)

    async def earlier_lot(self, auction_id: str) -> Auction:
        """Return an auction of any show or shard as it is committed, or ``AuctionNotFound``."""
        async with self._shards.of(auction_id).transaction() as connection:
            found = await connection.execute(_queries["select_lots"], ([auction_id],))
            row = await found.fetchone()
        if row is None:
            raise AuctionNotFound
        return to_auction(row)

    async def list_page(
        self,
        *,
        state: ShowState,
        seller_id: str | None,
        bookmarked_by: str | None,
        after: ListPosition | None,
        limit: int,
    ) -> Sequence[Show]:
        """Return up to ``limit`` shows of all shards after a position, in the state's order."""
        latest_first = state is not ShowState.SCHEDULED
        after = after or (_LAST if latest_first else _FIRST)
        parameters = {
            "state": state,
            "seller_id": seller_id,
            "bookmarked_by": bookmarked_by,
            "after_start": after.at,
            "after_id": after.auction_id,
            "limit": limit,
        }

        async def select(connection: Connection) -> list[Show]:
            query = _queries["list_begun" if latest_first else "list_announced"]
            rows = await connection.execute(query, parameters)
            return [to_show(row) for row in await rows.fetchall()]

        # People find at once what they have just announced or bookmarked themselves.
        may_lag = seller_id is None and bookmarked_by is None
        answers = await asyncio.gather(
            *(shard.ask_replica(select) if may_lag else shard.ask(select) for shard in self._shards)
        )
        shows = [show for answer in answers for show in answer]
        return sorted(shows, key=list_position, reverse=latest_first)[:limit]

    async def bookmark(self, show_id: str, user_id: str, *, remove: bool) -> None:
        """Put a show on a person's list, or take it off."""
        async with self._shard_of(show_id).transaction() as connection:
            if not (await _one(await connection.execute(_queries["show_exists"], (show_id,))))[0]:
                raise ShowNotFound
            await connection.execute(
                _queries["remove_bookmark" if remove else "add_bookmark"],
                {"user_id": user_id, "show_id": show_id},
            )

    def _shard_of(self, show_id: str) -> Shard:
        try:
            return self._shards.of(show_id)
        except AuctionNotFound:
            raise ShowNotFound from None


def list_position(show: Show) -> tuple[datetime, str]:
    """Return what lists are ordered by: the start, then the id."""
    return show.starts_at, show.show_id


async def _select_announced(new: NewShow, connection: Connection) -> Show | None:
    found = await connection.execute(_queries["select_announced"], (new.seller_id, new.request_id))
    row = await found.fetchone()
    if row is None:
        return None
    show_id, body_hash, seller_name, created_at = row
    if bytes(body_hash) != new.body_hash:
        raise RequestIdReused
    return _announce(replace(new, seller_name=seller_name), show_id, created_at)[0]


def _announce(new: NewShow, show_id: str, now: datetime) -> tuple[Show, ShowEvent]:
    return Show.announce(
        show_id=show_id,
        seller_id=new.seller_id,
        seller_name=new.seller_name,
        title=new.title,
        description=new.description,
        image_url=new.image_url,
        starts_at=new.starts_at,
        bidder_limit=new.bidder_limit,
        now=now,
    )


def _in_order(show: Show, lots: Sequence[Auction]) -> list[Auction]:
    places = {lot_id: place for place, lot_id in enumerate(show.lot_ids)}
    return sorted(lots, key=lambda lot: places[lot.listing.auction_id])


async def _clock(connection: Connection) -> datetime:
    now: datetime = (await _one(await connection.execute(_queries["database_time"])))[0]
    return now


async def _one(cursor: Any) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = await cursor.fetchone()
    if row is None:
        raise ShowNotFound
    return row
