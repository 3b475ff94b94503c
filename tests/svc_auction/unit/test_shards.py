from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kernel.ids import new_id, shard_of
from svc_auction.domain.errors import AuctionNotFound
from svc_auction.infrastructure.shards import (
    Shard,
    ShardMapError,
    Shards,
    open_shards,
    parse_open_shards,
    parse_shard_urls,
)


def shards_of(*numbers: int, open_numbers: frozenset[int]) -> Shards:
    nowhere = cast("Any", SimpleNamespace())
    return Shards(
        {number: Shard(number, nowhere, nowhere) for number in numbers}, open_numbers=open_numbers
    )


def test_a_map_names_a_database_for_each_shard() -> None:
    text = "0=postgresql://a/x?options=-csearch_path=y; 255=postgresql://b/x;"
    assert parse_shard_urls(text) == {
        0: "postgresql://a/x?options=-csearch_path=y",
        255: "postgresql://b/x",
    }
    assert parse_shard_urls("") == {}


@pytest.mark.parametrize(
    "text", ["postgresql://a/x", "0", "-1=url", "256=url", "x=url", "0=", "0=a;0=b"]
)
def test_a_malformed_map_is_refused(text: str) -> None:
    with pytest.raises(ShardMapError):
        parse_shard_urls(text)


def test_open_shards_are_numbers() -> None:
    assert parse_open_shards("") == frozenset()
    assert parse_open_shards("0, 7,") == {0, 7}
    for text in ("x", "0;7", "-1", "1.5"):
        with pytest.raises(ShardMapError):
            parse_open_shards(text)


def test_an_auction_is_on_the_shard_that_its_id_carries() -> None:
    shards = shards_of(0, 7, open_numbers=frozenset({0}))
    assert shards.of(new_id(shard=7)).number == 7
    with pytest.raises(AuctionNotFound):
        shards.of(new_id(shard=8))


def test_new_auctions_go_to_open_shards_evenly_and_always_to_the_same() -> None:
    shards = shards_of(0, 1, 2, 3, open_numbers=frozenset({0, 1, 3}))
    keys = [new_id() for _ in range(3_000)]
    chosen = Counter(shards.for_new(key).number for key in keys)
    assert chosen.keys() == {0, 1, 3}
    assert min(chosen.values()) > 850
    assert [shards.for_new(key) for key in keys] == [shards.for_new(key) for key in keys]


def test_closing_a_shard_moves_only_its_own_keys() -> None:
    every = shards_of(0, 1, 2, open_numbers=frozenset({0, 1, 2}))
    fewer = shards_of(0, 1, 2, open_numbers=frozenset({0, 1}))
    keys = [new_id() for _ in range(500)]
    moved = [k for k in keys if every.for_new(k).number != fewer.for_new(k).number]
    assert all(every.for_new(key).number == 2 for key in moved)


def test_every_id_names_its_shard() -> None:
    assert [shard_of(new_id(shard=number)) for number in range(256)] == list(range(256))


async def test_a_deployment_without_shards_does_not_start() -> None:
    with pytest.raises(ShardMapError, match="no shard"):
        async with open_shards({}, open_numbers=frozenset(), kafka_bootstrap="", pool_max=1):
            pass


async def test_a_replica_needs_a_shard() -> None:
    with pytest.raises(ShardMapError, match="7 has a replica"):
        async with open_shards(
            {0: "postgresql://nowhere"},
            open_numbers=frozenset(),
            kafka_bootstrap="",
            pool_max=1,
            replica_urls={7: "postgresql://nowhere"},
        ):
            pass


async def test_an_open_shard_must_have_a_database() -> None:
    with pytest.raises(ShardMapError, match="3"):
        async with open_shards(
            {0: "postgresql://nowhere"},
            open_numbers=frozenset({0, 3}),
            kafka_bootstrap="",
            pool_max=1,
        ):
            pass
