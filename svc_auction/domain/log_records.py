"""The records of a bid log as they are kept, to be checked against the rules.

They are tuples: of a large auction there may be a hundred thousand.
"""

import struct
from datetime import datetime
from typing import NamedTuple

from svc_auction.domain.bid_log import record_hash, retraction_hash

NO_HASH = bytes(32)
"""What stands for the hash of a record with numbers that no record can have."""


class LoggedBid(NamedTuple):
    """A bid as the log has it; amounts in minor units."""

    sequence: int
    bid_id: str
    bidder_id: str
    maximum_minor: int
    price_minor: int
    leader_id: str
    bid_count: int
    placed_at: datetime
    record_hash: bytes
    won: bool
    retracted: bool
    salt: bytes

    def hash_after(self, previous: bytes, auction_id: str) -> bytes:
        """Return the hash that the record must carry if ``previous`` is that of the one before."""
        try:
            return record_hash(
                previous=previous,
                auction_id=auction_id,
                sequence=self.sequence,
                bid_id=self.bid_id,
                bidder_id=self.bidder_id,
                maximum_minor=self.maximum_minor,
                price_minor=self.price_minor,
                placed_at=self.placed_at,
                salt=self.salt,
            )
        except struct.error:
            return NO_HASH


class LoggedRetraction(NamedTuple):
    """A retraction as the log has it; ``sequences`` number the bids that it takes back."""

    sequence: int
    retraction_id: str
    bidder_id: str
    price_minor: int
    leader_id: str | None
    retracted_at: datetime
    record_hash: bytes
    sequences: tuple[int, ...]
    salt: bytes

    def hash_after(self, previous: bytes, auction_id: str) -> bytes:
        """Return the hash that the record must carry if ``previous`` is that of the one before."""
        try:
            return retraction_hash(
                previous=previous,
                auction_id=auction_id,
                sequence=self.sequence,
                retraction_id=self.retraction_id,
                bidder_id=self.bidder_id,
                price_minor=self.price_minor,
                retracted_at=self.retracted_at,
                sequences=self.sequences,
                salt=self.salt,
            )
        except struct.error:
            return NO_HASH


LogRecord = LoggedBid | LoggedRetraction
