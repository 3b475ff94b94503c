import time
import uuid

import pytest

from kernel.ids import SHARD_COUNT, new_id, shard_of


def test_an_id_is_a_canonical_uuid_of_version_7() -> None:
    for shard in range(SHARD_COUNT):
        identifier = new_id(shard=shard)
        parsed = uuid.UUID(identifier)
        assert str(parsed) == identifier
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


def test_an_id_carries_its_shard() -> None:
    assert [shard_of(new_id(shard=shard)) for shard in range(SHARD_COUNT)] == list(
        range(SHARD_COUNT)
    )
    assert shard_of(new_id()) == 0


def test_an_id_begins_with_its_time() -> None:
    before_ms = time.time_ns() // 1_000_000
    identifier = new_id(shard=255)
    after_ms = time.time_ns() // 1_000_000
    assert before_ms <= uuid.UUID(identifier).int >> 80 <= after_ms


def test_ids_do_not_repeat() -> None:
    assert len({new_id(shard=7) for _ in range(10_000)}) == 10_000


def test_all_other_bits_are_random() -> None:
    seen = 0
    for _ in range(200):
        seen |= uuid.UUID(new_id()).int
    random_bits = (0xFFF << 64) | ((1 << 54) - 1)
    assert seen & random_bits == random_bits


@pytest.mark.parametrize("shard", [-1, 256])
def test_there_are_256_shards(shard: int) -> None:
    with pytest.raises(ValueError, match="0 to 255"):
        new_id(shard=shard)
