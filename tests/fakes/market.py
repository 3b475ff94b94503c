"""People and auctions on a running mesh, and what the databases hold about them."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import psycopg
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from blytz.auction.v1.auction_pb2 import (
    Auction,
    AuctionFormat,
    AuctionTerms,
    FundingPolicy,
)
from blytz.auction.v1.auction_service_pb2 import PlaceBidRequest
from blytz.common.v1.money_pb2 import Money
from blytz_client import Blytz, Session
from fakes.eventually import eventually
from fakes.running_mesh import RunningMesh
from stack.accounts import deposit

OPENING_MINOR = 10_00


def money(amount_minor: int, currency_code: str = "USD") -> Money:
    return Money(currency_code=currency_code, amount_minor=amount_minor)


def terms_of(
    auction_format: AuctionFormat.ValueType = AuctionFormat.AUCTION_FORMAT_ENGLISH, **rules: Any
) -> AuctionTerms:
    """Terms that open at `OPENING_MINOR`, with holds from the wallet."""
    return AuctionTerms(
        format=auction_format,
        opening_price=money(OPENING_MINOR),
        funding_policy=FundingPolicy.FUNDING_POLICY_WALLET_HOLD,
        **rules,
    )


def bid_request(auction_id: str, maximum_minor: int, currency_code: str = "USD") -> PlaceBidRequest:
    """A bid with a request id of its own."""
    return PlaceBidRequest(
        request_id=str(uuid.uuid4()),
        auction_id=auction_id,
        maximum=money(maximum_minor, currency_code),
    )


class Market:
    """Makes people and auctions; use ``Market.on`` in a test."""

    def __init__(self, mesh: RunningMesh, blytz: Blytz) -> None:
        self.mesh = mesh
        self.blytz = blytz

    @classmethod
    @asynccontextmanager
    async def on(cls, mesh: RunningMesh) -> AsyncIterator["Market"]:
        async with Blytz(mesh.edge_url) as blytz:
            yield cls(mesh, blytz)

    async def person(self, *, funds_minor: int = 0) -> Session:
        """A new person with so much in their wallet."""
        session = await self.blytz.register(
            email=f"{uuid.uuid4()}@people.example",
            password="correct horse battery staple",
            display_name="Ann",
        )
        if funds_minor:
            await deposit(session, amount_minor=funds_minor, currency_code="USD")
        return session

    async def seller(self, *, funds_minor: int = 0) -> Session:
        """A new person who may sell."""
        session = await self.person(funds_minor=funds_minor)
        await session.apply_as_seller(shop_name="Second Hand Watches")
        return session

    async def auction(
        self, seller: Session, *, start: bool = True, terms: AuctionTerms | None = None
    ) -> Auction:
        """A live auction, or a draft; an English one unless the terms say otherwise."""
        auction = await seller.create_auction(
            title="Cartier Tank, 1990s", terms=terms or terms_of()
        )
        if not start:
            return auction
        ends_at = datetime.now(UTC) + timedelta(hours=1)
        return await seller.start_auction(auction.auction_id, ends_at=ends_at)

    async def settled(self, auction_id: str) -> None:
        """Return when the winner's money is the seller's."""
        await eventually(lambda: self._is_settled(auction_id), within_s=15)

    def _is_settled(self, auction_id: str) -> bool:
        with psycopg.connect(self.mesh.state["postgres"]["auction"]) as shard:
            found = shard.execute(
                "select state = 2 from power_transfers where auction_id = %s", (auction_id,)
            ).fetchone()
        return found == (True,)

    async def written(self, auction_id: str, *people: Session) -> dict[str, Any]:
        """All that the databases hold about an auction and some people's bids and money."""
        user_ids = [person.user.user_id for person in people]
        return await asyncio.to_thread(self._read, auction_id, user_ids)

    def _read(self, auction_id: str, user_ids: list[str]) -> dict[str, Any]:
        urls = self.mesh.state["postgres"]
        with psycopg.connect(urls["auction"]) as shard, psycopg.connect(urls["payment"]) as ledger:
            return {
                "book": shard.execute(
                    "select * from books where auction_id = %s", (auction_id,)
                ).fetchall(),
                "bids": shard.execute(
                    "select * from bids where auction_id = %s or bidder_id = any(%s::uuid[])"
                    " order by auction_id, sequence",
                    (auction_id, user_ids),
                ).fetchall(),
                "events": shard.execute(
                    "select id from outbox where partition_key = %s order by id", (auction_id,)
                ).fetchall(),
                "held": shard.execute(
                    "select bidder_id, held_minor from bidding_power"
                    " where bidder_id = any(%s::uuid[]) and held_minor > 0 order by bidder_id",
                    (user_ids,),
                ).fetchall(),
                "auctions": shard.execute(
                    "select count(*) from auctions where seller_id = any(%s::uuid[])", (user_ids,)
                ).fetchall(),
                "money": ledger.execute(
                    "select owner_id, sum(balance_minor) from ledger_accounts"
                    " where owner_id = any(%s::uuid[]) group by owner_id order by owner_id",
                    (user_ids,),
                ).fetchall(),
            }

    def token(self, person: Session, **claims: Any) -> str:
        """A token of the person's, signed with the mesh's real key, with other claims."""
        text = person.tokens.access_token
        payload = jwt.decode(text, options={"verify_signature": False}) | claims
        (path,) = (self.mesh.data_dir / "keys").glob("*.pem")
        key: Any = load_pem_private_key(path.read_bytes(), password=None)
        header = jwt.get_unverified_header(text)
        return jwt.encode(payload, key, algorithm="ES256", headers=header)

    def expired_token(self, person: Session) -> str:
        """A token that was good until a minute ago."""
        now_s = int(time.time())
        return self.token(person, iat=now_s - 960, nbf=now_s - 960, exp=now_s - 61)
