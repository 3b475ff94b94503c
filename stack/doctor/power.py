"""Reconciles what the wallet lent to a shard with what the shard has, transfer by transfer."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from stack.doctor.checks import Connection, Violation, queries_of

NAME = "power_is_what_the_ledger_moved"
DESCRIPTION = (
    "A shard's allotments and its open transfers are, to the cent, the ledger's bidding power."
)
_QUERIES = queries_of("power.sql")

Holder = tuple[str, str]
"""A person's id and a currency code."""


@dataclass(frozen=True, slots=True)
class Movement:
    """A transfer as the shard knows it."""

    cause_id: str
    kind: str
    state: str
    bidder_id: str
    currency_code: str
    amount_minor: int
    minimum_minor: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A transfer as the ledger has it."""

    cause_id: str
    kind: str
    owner_id: str
    currency_code: str
    amount_minor: int


async def violations(*, ledger: Connection, shard: Connection, number: int) -> list[Violation]:
    """Return where the ledger and the shard with this number disagree."""
    allotted = await _QUERIES["power_on_the_shard"].rows(shard)
    movements = [Movement(*row) for row in await _QUERIES["transfers_of_the_shard"].rows(shard)]
    lent = await _QUERIES["power_in_the_ledger"].rows(ledger, number)
    moved = {
        (each.kind, each.cause_id): each
        for each in (
            Moved(*row) for row in await _QUERIES["transfers_in_the_ledger"].rows(ledger, number)
        )
    }
    found = _differences(_balances(allotted), _balances(lent), movements, moved)
    found += [fault for movement in movements for fault in _faults(movement, moved)]
    known = {(movement.kind, movement.cause_id) for movement in movements}
    found += [
        (f"{each.kind} {each.cause_id}", f"the ledger moved {each.amount_minor}, the shard did not")
        for key, each in moved.items()
        if key not in known
    ]
    return [Violation(NAME, f"shard {number}, {where}", what) for where, what in found]


async def unknown_shards(ledger: Connection, known: set[int]) -> list[Violation]:
    """Return the shards that the ledger has lent to and that nobody let us look at."""
    shards = [row[0] for row in await _QUERIES["shards_in_the_ledger"].rows(ledger)]
    return [
        Violation(NAME, f"shard {number}", "the ledger has lent to it; its database is not named")
        for number in shards
        if number not in known
    ]


def _balances(rows: Any) -> dict[Holder, int]:
    return {(holder_id, currency): amount_minor for holder_id, currency, amount_minor in rows}


def _differences(
    allotted: dict[Holder, int],
    lent: dict[Holder, int],
    movements: list[Movement],
    moved: dict[tuple[str, str], Moved],
) -> list[tuple[str, str]]:
    """Return whose power differs after counting in what is under way."""
    expected: dict[Holder, int] = defaultdict(int, allotted)
    for movement in movements:
        if movement.state != "OPEN":
            continue
        holder = (movement.bidder_id, movement.currency_code)
        in_ledger = moved.get((movement.kind, movement.cause_id))
        if movement.kind == "ALLOTMENT":
            # Lent already, and not yet credited here.
            expected[holder] += in_ledger.amount_minor if in_ledger is not None else 0
        elif in_ledger is None:
            # Given up here already, and not yet taken there.
            expected[holder] += movement.amount_minor
    return [
        (
            f"bidder {holder[0]} in {holder[1]}",
            f"the ledger lent {lent.get(holder, 0)}, the shard accounts for {expected[holder]}",
        )
        for holder in sorted(expected.keys() | lent.keys())
        if expected[holder] != lent.get(holder, 0)
    ]


def _faults(movement: Movement, moved: dict[tuple[str, str], Moved]) -> list[tuple[str, str]]:
    """Return how a transfer differs from what the ledger made of it."""
    where = f"{movement.kind} {movement.cause_id}"
    made = moved.get((movement.kind, movement.cause_id))
    if made is None:
        return [(where, "done here, not in the ledger")] if movement.state == "DONE" else []
    if movement.state == "REFUSED":
        return [(where, f"refused here, the ledger moved {made.amount_minor}")]
    least_minor = movement.minimum_minor if movement.kind == "ALLOTMENT" else movement.amount_minor
    same = (movement.bidder_id, movement.currency_code) == (made.owner_id, made.currency_code)
    if same and least_minor <= made.amount_minor <= movement.amount_minor:
        return []
    return [(where, f"{movement.amount_minor} was asked for, {made.amount_minor} moved")]
