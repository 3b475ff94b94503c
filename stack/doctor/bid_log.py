"""Checks that every price and leader of the bid logs follows from the maxima alone."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any

from stack.doctor.bid_rules import Falling, Record, Retraction, Terms, faults_of
from stack.doctor.checks import Connection, Violation

NAME = "bids_follow_the_rules"
DESCRIPTION = (
    "Every bid was acceptable, and every price and leader follows from the maxima that stand."
)

_ROWS_AT_ONCE = 2_000
_TERMS_COLUMNS = 12
_LOGS = """
    select auction_id, opening_minor, reserve_minor, prices_from_minor, steps_minor, format,
        buy_now_minor, buy_now_availability = 2, drop_minor, drop_every_ms, floor_minor,
        books.starts_at + books.paused_for, record.*
    from (
        select auction_id, sequence, bidder_id, maximum_minor, price_minor, leader_id, bid_count,
            won, placed_at, null::bigint[] as sequences
        from bids
        union all
        select auction_id, sequence, bidder_id, null, price_minor, leader_id, null,
            false, retracted_at, sequences
        from retractions
    ) as record
    join auctions using (auction_id)
    join books using (auction_id)
    order by auction_id, record.sequence
"""


async def violations(connection: Connection) -> list[Violation]:
    """Return the records that the rules would have made differently."""
    found: list[Violation] = []
    async with connection.cursor(name="bid_logs") as cursor:
        await cursor.execute(_LOGS)
        pending: list[tuple[Any, ...]] = []
        while rows := await cursor.fetchmany(_ROWS_AT_ONCE):
            pending += rows
            # The last auction of a batch may go on in the next.
            last_id = pending[-1][0]
            found += _faults(row for row in pending if row[0] != last_id)
            pending = [row for row in pending if row[0] == last_id]
        found += _faults(pending)
    return found


def _faults(rows: Iterable[tuple[Any, ...]]) -> Iterable[Violation]:
    for auction_id, entries in groupby(rows, key=lambda row: row[0]):
        log = list(entries)
        records = [_record(row[_TERMS_COLUMNS:]) for row in log]
        for sequence, fault in faults_of(_terms(log[0]), records):
            yield Violation(NAME, f"auction {auction_id}, record {sequence}", fault)


def _terms(row: tuple[Any, ...]) -> Terms:
    _, opening_minor, reserve_minor, prices_from_minor, steps_minor, format_number = row[:6]
    buy_now_minor, always_for_sale, drop_minor, every_ms, floor_minor, runs_from = row[6:12]
    return Terms(
        opening_minor,
        reserve_minor,
        tuple(zip(prices_from_minor, steps_minor, strict=True)),
        format=format_number,
        buy_now_minor=buy_now_minor,
        always_for_sale=bool(always_for_sale),
        falling=None
        if drop_minor is None
        else Falling(drop_minor, timedelta(milliseconds=every_ms), floor_minor, runs_from),
    )


def _record(row: tuple[Any, ...]) -> Record | Retraction:
    """Return a record from the columns of the log after the auction's id."""
    _, sequence, bidder_id, maximum_minor, price_minor, leader_id, bid_count, won, at, gone = row
    if gone is not None:
        return Retraction(sequence, bidder_id, price_minor, leader_id or "", tuple(gone))
    return Record(
        sequence,
        bidder_id,
        maximum_minor,
        price_minor,
        leader_id,
        bid_count,
        won=won,
        placed_at=at,
    )
