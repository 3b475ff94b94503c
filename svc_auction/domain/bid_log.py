"""The bid log: each record carries the hash of the one before, so that no record can be changed.

A record is hashed as SHA-256 over the previous hash (32 bytes, zeros for the first) and, all
big-endian, the auction id (16), the sequence (8), the bid id (16), the bidder id (16), the maximum
and the price after it in minor units (8 each) and the time in microseconds since 1970 (8).
"""

import hashlib
import struct
from datetime import UTC, datetime, timedelta

_RECORD = struct.Struct(">16sQ16s16sqqq")
_GENESIS = bytes(32)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def record_hash(
    *,
    previous: bytes,
    auction_id: str,
    sequence: int,
    bid_id: str,
    bidder_id: str,
    maximum_minor: int,
    price_minor: int,
    placed_at: datetime,
) -> bytes:
    """Return the hash, 32 bytes, of a record that follows ``previous`` (empty for the first)."""
    record = _RECORD.pack(
        bytes.fromhex(auction_id.replace("-", "")),
        sequence,
        bytes.fromhex(bid_id.replace("-", "")),
        bytes.fromhex(bidder_id.replace("-", "")),
        maximum_minor,
        price_minor,
        (placed_at - _EPOCH) // _MICROSECOND,
    )
    return hashlib.sha256((previous or _GENESIS) + record).digest()
