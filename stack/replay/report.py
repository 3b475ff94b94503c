"""What a replay came to: as a table for people, as one object for programs."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from stack.amounts import format_amount
from stack.replay.recording import CURRENCY_CODE
from stack.replay.replay import ReplayResult
from stack.replay.stage import Performance


def as_json(result: ReplayResult, *, watched: bool) -> dict[str, Any]:
    """Return the totals. `bids`, `rejected` and `not_raised` are those of the first pass."""
    exact = sum(performance.exact for performance in result.plain)
    explained = sum(performance.exact for performance in result.with_reserve)
    findings = asdict(result.findings)
    if watched:
        findings |= {
            "feed_reconnections": result.reconnections,
            "feed_snapshots": result.snapshots,
        }
    else:
        # Nobody looked.
        del findings["feed_gaps"], findings["feed_duplicates"]
    return {
        "auctions": len(result.plain),
        "bids": sum(len(performance.recorded.bids) for performance in result.plain),
        "rejected": sum(performance.rejected for performance in result.plain),
        "not_raised": sum(performance.not_raised for performance in result.plain),
        "exact": exact,
        "exact_with_reserve": exact + explained,
        "replayed_with_reserve": len(result.with_reserve),
        "acknowledged": sum(len(each.acknowledged) for each in result.performances),
        **findings,
        "sign_in_seconds": round(result.signed_in_s, 3),
        "seconds": round(result.took_s, 3),
    }


def show(result: ReplayResult, console: Console, *, watched: bool) -> None:
    """Print every auction's final price beside the recorded one, and the totals."""
    again = {each.recorded.recorded_id: each for each in result.with_reserve}
    table = Table(show_edge=False)
    table.add_column("auction")
    table.add_column("item")
    for heading in ("bids", "recorded", "final", "with reserve"):
        table.add_column(heading, justify="right")
    for performance in result.plain:
        _add_row(table, performance, again.get(performance.recorded.recorded_id))
    console.print(table)
    totals = as_json(result, watched=watched)
    summary = Table.grid(padding=(0, 2))
    for name, value in totals.items():
        summary.add_row(name.replace("_", " "), f"{value:,}")
    console.print(summary)


def _add_row(table: Table, performance: Performance, again: Performance | None) -> None:
    recorded = performance.recorded
    table.add_row(
        recorded.recorded_id,
        recorded.item,
        str(len(recorded.bids)),
        format_amount(recorded.final_minor, CURRENCY_CODE),
        _price(performance),
        "" if again is None else _price(again),
    )


def _price(performance: Performance) -> str:
    colour = "green" if performance.exact else "yellow"
    return f"[{colour}]{format_amount(performance.price_minor, CURRENCY_CODE)}[/{colour}]"
