"""Shards on the embedded Postgres; tests share a database and bring their own people."""

from collections.abc import AsyncIterator

import pytest
from fakes.auction_shards import auction_database, auctions_on, only, shards_on

from stack.parts.postgres import Postgres
from svc_auction.infrastructure.postgres_auctions import PostgresAuctions
from svc_auction.infrastructure.shards import Shard, Shards


@pytest.fixture(scope="session")
def auction_url(postgres_server: Postgres) -> str:
    return auction_database(postgres_server)


@pytest.fixture
async def shards(auction_url: str) -> AsyncIterator[Shards]:
    async with shards_on(auction_url) as opened:
        yield opened


@pytest.fixture
def shard(shards: Shards) -> Shard:
    return only(shards)


@pytest.fixture
def auctions(shards: Shards) -> PostgresAuctions:
    return auctions_on(shards)
