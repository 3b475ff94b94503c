"""The bid log: each record carries the hash of the one before, so that no record can be changed.

A record is hashed as SHA-256 over the previous hash (32 bytes, zeros for the first) and, all
big-endian, the auction id (16), the sequence (8), the bid id (16), the bidder id (16), the maximum
and the price after it in minor units (8 each), the time in microseconds since 1970 (8), and the
record's salt (16): hashes are public, and without it the one number that is not could be guessed.

A retraction is a record too: SHA-256 over the previous hash and, all big-endian, the auction id
(16), the sequence (8), the word ``retraction``, the retraction id (16), the bidder id (16), the
price after it (8), the time (8), the sequence of each bid that it takes back (8 each), lowest
first, and the salt (16).
"""

import hashlib
import os
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

_RECORD = struct.Struct(">16sQ16s16sqqq")
_RETRACTION = struct.Struct(">16sQ10s16s16sqq")
_SALT_BYTES = 16
_GENESIS = bytes(32)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def new_salt() -> bytes:
    """Return the salt of a new record."""
    return os.urandom(_SALT_BYTES)


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
    salt: bytes,
) -> bytes:
    """Return the hash, 32 bytes, of a bid that follows ``previous`` (empty for the first)."""
    record = _RECORD.pack(
        bytes.fromhex(auction_id.replace("-", "")),
        sequence,
        bytes.fromhex(bid_id.replace("-", "")),
        bytes.fromhex(bidder_id.replace("-", "")),
        maximum_minor,
        price_minor,
        (placed_at - _EPOCH) // _MICROSECOND,
    )
    return hashlib.sha256((previous or _GENESIS) + record + salt).digest()


def retraction_hash(
    *,
    previous: bytes,
    auction_id: str,
    sequence: int,
    retraction_id: str,
    bidder_id: str,
    price_minor: int,
    retracted_at: datetime,
    sequences: Sequence[int],
    salt: bytes,
) -> bytes:
    """Return the hash, 32 bytes, of a retraction of the bids with ``sequences``."""
    record = _RETRACTION.pack(
        bytes.fromhex(auction_id.replace("-", "")),
        sequence,
        b"retraction",
        bytes.fromhex(retraction_id.replace("-", "")),
        bytes.fromhex(bidder_id.replace("-", "")),
        price_minor,
        (retracted_at - _EPOCH) // _MICROSECOND,
    )
    taken_back = struct.pack(f">{len(sequences)}Q", *sorted(sequences))
    return hashlib.sha256((previous or _GENESIS) + record + taken_back + salt).digest()
