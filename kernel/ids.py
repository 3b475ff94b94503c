"""Ids: UUIDs of version 7 (RFC 9562, section 5.7) that carry a shard.

The first 48 bits are the time in milliseconds, so that new rows land side by side in an index. The
eight bits after the variant (bits 66 to 73) name the shard, the other 66 are random.
"""

import os
import time

SHARD_COUNT = 256

_VERSION = 7 << 76
_VARIANT = 0b10 << 62
_SHARD_SHIFT = 54
_RANDOM_A_MASK = 0xFFF << 64
_RANDOM_B_MASK = (1 << _SHARD_SHIFT) - 1


def new_id(*, shard: int = 0) -> str:
    """Return a new id that lives on ``shard`` (0 to 255), in canonical lower-case form."""
    if not 0 <= shard < SHARD_COUNT:
        raise ValueError(f"shard {shard} is not within 0 to {SHARD_COUNT - 1}")
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = (
        (time.time_ns() // 1_000_000 << 80)
        | _VERSION
        | (random_bits & _RANDOM_A_MASK)
        | _VARIANT
        | (shard << _SHARD_SHIFT)
        | (random_bits & _RANDOM_B_MASK)
    )
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def shard_of(identifier: str) -> int:
    """Return the shard, 0 to 255, that a canonical id carries."""
    return (int(identifier[19:23], 16) >> 6) & 0xFF
