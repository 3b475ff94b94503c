"""Checks that every price and leader of the bid logs follows from the maxima alone."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from stack.doctor.bid_rules import Record, Terms, faults_of
from stack.doctor.checks import Connection, Violation

NAME = "bids_follow_the_rules"
DESCRIPTION = "Every bid met the minimum, and every price and leader follows from the maxima."

_ROWS_AT_ONCE = 2_000
_LOGS = """
    select auction_id, opening_minor, reserve_minor, prices_from_minor, steps_minor,
        sequence, bidder_id, maximum_minor, bids.price_minor, bids.leader_id, bids.bid_count
    from bids
    join auctions using (auction_id)
    order by auction_id, sequence
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
        _, opening_minor, reserve_minor, prices_from_minor, steps_minor, *_ = log[0]
        ladder = tuple(zip(prices_from_minor, steps_minor, strict=True))
        terms = Terms(opening_minor, reserve_minor, ladder)
        records = [Record(*row[5:]) for row in log]
        for sequence, fault in faults_of(terms, records):
            yield Violation(NAME, f"auction {auction_id}, bid {sequence}", fault)
