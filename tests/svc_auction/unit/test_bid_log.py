import hashlib
from datetime import timedelta
from typing import Any

import pytest

from fakes.auction_books import ADA, AUCTION_ID, BOB, START, book_of, place, terms_of
from svc_auction.domain.bid_log import new_salt, record_hash
from svc_auction.domain.events import BidPlaced

RECORD: dict[str, Any] = {
    "previous": b"",
    "auction_id": AUCTION_ID,
    "sequence": 3,
    "bid_id": "0190a1b2-0000-7000-8000-0000000000b1",
    "bidder_id": ADA,
    "maximum_minor": 20_00,
    "price_minor": 9_50,
    "placed_at": START,
    "salt": b"0123456789abcdef",
}


def test_a_record_is_hashed_as_it_is_documented() -> None:
    microseconds = 1_793_534_400_000_000  # 2026-11-01T12:00:00Z
    written_out = (
        bytes(32)
        + bytes.fromhex(AUCTION_ID.replace("-", ""))
        + (3).to_bytes(8, "big")
        + bytes.fromhex(RECORD["bid_id"].replace("-", ""))
        + bytes.fromhex(ADA.replace("-", ""))
        + (20_00).to_bytes(8, "big")
        + (9_50).to_bytes(8, "big")
        + microseconds.to_bytes(8, "big")
        + b"0123456789abcdef"
    )
    assert record_hash(**RECORD) == hashlib.sha256(written_out).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"previous": b"\x01" * 32},
        {"auction_id": AUCTION_ID.replace("a", "b")},
        {"sequence": 4},
        {"bid_id": "0190a1b2-0000-7000-8000-0000000000b2"},
        {"bidder_id": BOB},
        {"maximum_minor": 20_01},
        {"price_minor": 9_51},
        {"placed_at": START + timedelta(microseconds=1)},
        {"salt": b"0123456789abcdeF"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_of_a_record_changes_its_hash(change: dict[str, Any]) -> None:
    assert record_hash(**RECORD | change) != record_hash(**RECORD)


def chain(records: list[BidPlaced]) -> list[bytes]:
    """Recompute the hashes of a log from its records alone."""
    hashes = [b""]
    for record in records:
        hashes.append(
            record_hash(
                previous=hashes[-1],
                auction_id=AUCTION_ID,
                sequence=record.sequence,
                bid_id=record.bid_id,
                bidder_id=record.bidder_id,
                maximum_minor=record.maximum_minor,
                price_minor=record.price_minor,
                placed_at=record.occurred_at,
                salt=record.salt,
            )
        )
    return hashes[1:]


def test_two_records_that_say_the_same_differ() -> None:
    """Otherwise a hash that anyone sees could be tried out against every maximum."""
    hashes = {record_hash(**RECORD | {"salt": new_salt()}) for _ in range(100)}
    assert len(hashes) == 100


def test_the_log_of_an_auction_can_be_recomputed() -> None:
    terms = terms_of()
    book = book_of(terms)
    records = []
    for number in range(1, 8):
        now = START + timedelta(seconds=number)
        placed, _ = place(terms, book, (ADA, BOB)[number % 2], 1_00 * 2**number, now=now)
        records.append(placed)
        assert book.log_head == placed.record_hash
    assert chain(records) == [record.record_hash for record in records]
    assert chain(records[:3] + records[4:])[-1] != book.log_head
    assert chain([records[1], records[0], *records[2:]])[-1] != book.log_head
