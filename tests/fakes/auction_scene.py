"""A cast on a running mesh, and calls of the auction area in a few words, in any protocol.

The people are made once and kept as tokens, so that a scene costs an auction and not a sign-up.
"""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import psycopg
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass

from blytz_client import Session
from fakes.market import Market
from fakes.protocols import METHODS, Answer, NativeGrpc, Protocol, bearer
from fakes.running_mesh import RunningMesh

OPENING_MINOR = 10_00
FUNDS_MINOR = 1_000_00


@dataclass(frozen=True)
class Person:
    """Somebody with a token."""

    user_id: str
    token: str


@dataclass(frozen=True)
class Cast:
    """Two sellers; two bidders with funds and one without; a moderator."""

    sue: Person
    sid: Person
    ann: Person
    ben: Person
    pip: Person
    mod: Person


def cast_on(mesh: RunningMesh) -> Cast:
    """Make the people; for fixtures that live longer than a loop."""
    return asyncio.run(_cast_on(mesh))


async def _cast_on(mesh: RunningMesh) -> Cast:
    async with Market.on(mesh) as market:
        sue, sid = await market.seller(), await market.seller()
        ann = await market.person(funds_minor=FUNDS_MINOR)
        ben = await market.person(funds_minor=FUNDS_MINOR)
        pip, mod = await market.person(), await market.person()
        moderator = market.token(mod, roles=["MODERATOR", "SELLER"])
        return Cast(
            sue=_person(sue),
            sid=_person(sid),
            ann=_person(ann),
            ben=_person(ben),
            pip=_person(pip),
            mod=Person(mod.user.user_id, moderator),
        )


def _person(session: Session) -> Person:
    return Person(session.user.user_id, session.tokens.access_token)


def usd(amount_minor: int, currency_code: str = "USD") -> dict[str, Any]:
    return {"currencyCode": currency_code, "amountMinor": str(amount_minor)}


def english(**changes: Any) -> dict[str, Any]:
    """Terms in the contract's JSON form: English, open funding, from 10.00."""
    return {
        "format": "AUCTION_FORMAT_ENGLISH",
        "openingPrice": usd(OPENING_MINOR),
        "fundingPolicy": "FUNDING_POLICY_OPEN",
        **changes,
    }


class Scene:
    """Auctions of Sue's, and whoever calls about them over one protocol."""

    def __init__(self, mesh: RunningMesh, cast: Cast, protocol: Protocol) -> None:
        self.mesh = mesh
        self.cast = cast
        self.protocol = protocol

    async def call(self, rpc: str, person: Person | None = None, **fields: Any) -> Answer:
        """Call an RPC with the fields of its request in JSON's names."""
        return await self._call(self.protocol, rpc, person, fields)

    async def do(self, rpc: str, person: Person | None = None, **fields: Any) -> Any:
        """Call an RPC that must succeed, and return its answer."""
        answer = await self._call(NativeGrpc(self.mesh.edge_url), rpc, person, fields)
        assert answer.status is grpc.StatusCode.OK, answer
        return answer.message

    async def draft(self, **terms: Any) -> str:
        """Return a new draft of Sue's."""
        created = await self.do(
            "CreateAuction",
            self.cast.sue,
            requestId=str(uuid.uuid4()),
            title="A watch",
            terms=english(**terms),
        )
        return str(created.auction.auction_id)

    async def live(self, *, hours: float = 1, **terms: Any) -> str:
        """Return a live auction of Sue's."""
        auction_id = await self.draft(**terms)
        await self.do("StartAuction", self.cast.sue, auctionId=auction_id, endsAt=_in(hours))
        return auction_id

    async def ended(self) -> str:
        """Return an auction of Sue's that is over."""
        auction_id = await self.live()
        await self.do("CloseAuction", self.cast.sue, auctionId=auction_id)
        return auction_id

    async def show(self, *, lots: int = 0, live: bool = False, **fields: Any) -> str:
        """Return a show of Sue's with lots that wait."""
        created = await self.do(
            "CreateShow",
            self.cast.sue,
            requestId=str(uuid.uuid4()),
            title="Sunday watches",
            startsAt=_in(1),
            **fields,
        )
        show_id = str(created.show.show_id)
        for _ in range(lots):
            await self.lot(show_id)
        if live:
            await self.do("StartShow", self.cast.sue, showId=show_id)
        return show_id

    async def lot(self, show_id: str, **terms: Any) -> str:
        """Put a lot into a show of Sue's and return it."""
        added = await self.do("AddLot", self.cast.sue, **self.lot_fields(show_id, **terms))
        return str(added.lot.auction_id)

    @staticmethod
    def lot_fields(show_id: str, **terms: Any) -> dict[str, Any]:
        lot = {"title": "A watch", "terms": english(**terms)}
        return {"requestId": str(uuid.uuid4()), "showId": show_id, "newLot": lot}

    async def bid(
        self, auction_id: str, person: Person, maximum: Any = None, **fields: Any
    ) -> Answer:
        """Place a bid of 20.00, or of another maximum."""
        return await self.call(
            "PlaceBid", person, **bid_fields(auction_id, maximum or usd(20_00)), **fields
        )

    async def led_by_ann(self, **terms: Any) -> tuple[str, str]:
        """Return a live auction of Sue's that Ann leads with 20.00, and her bid."""
        auction_id = await self.live(**terms)
        placed = await self.do("PlaceBid", self.cast.ann, **bid_fields(auction_id, usd(20_00)))
        return auction_id, str(placed.bid.bid_id)

    def bar(self, person: Person, *, kind: int) -> None:
        """Write into the shard that a person is barred from Sue's auctions."""
        with psycopg.connect(self.mesh.state["postgres"]["auction"]) as shard:
            shard.execute(
                "insert into bars (seller_id, bidder_id, kind, barred, changed_at)"
                " values (%s, %s, %s, true, clock_timestamp()) on conflict do nothing",
                (self.cast.sue.user_id, person.user_id, kind),
            )

    def fill(self, show_id: str) -> None:
        """Write into the shard that a show has as many lots as it can have."""
        with psycopg.connect(self.mesh.state["postgres"]["auction"]) as shard:
            shard.execute(
                "update shows set lot_ids = array("
                " select gen_random_uuid() from generate_series(1, 500)) where show_id = %s",
                (show_id,),
            )

    @staticmethod
    async def _call(
        protocol: Protocol, rpc: str, person: Person | None, fields: dict[str, Any]
    ) -> Answer:
        method = METHODS[rpc]
        request = ParseDict(fields, GetMessageClass(method.input_type)())
        token = () if person is None else (bearer(person.token),)
        return await protocol.call(method, request, *token)


def bid_fields(auction_id: str, maximum: dict[str, Any]) -> dict[str, Any]:
    return {"requestId": str(uuid.uuid4()), "auctionId": auction_id, "maximum": maximum}


def _in(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")
