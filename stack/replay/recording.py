"""Recorded auctions: every maximum bid with its time, and the price at the end."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from stack.failure import CommandFailed
from stack.layout import PROJECT_ROOT

SAMPLE_PATH = PROJECT_ROOT / "stack" / "samples" / "ebay_auctions.csv"
CURRENCY_CODE = "USD"
_S_PER_DAY = 86_400.0
_COLUMNS = frozenset(
    {
        *("auction_id", "item", "bid_time_days", "bidder"),
        *("max_bid_usd", "opening_bid_usd", "final_price_usd"),
    }
)


@dataclass(frozen=True, slots=True)
class RecordedBid:
    """A maximum bid, ``at_s`` seconds after the auction's opening."""

    bidder: str
    maximum_minor: int
    at_s: float


@dataclass(frozen=True, slots=True)
class RecordedAuction:
    """An auction as it went; amounts in minor units of ``CURRENCY_CODE``, bids in their order."""

    recorded_id: str
    item: str
    opening_minor: int
    final_minor: int
    bids: tuple[RecordedBid, ...]

    @property
    def bidders(self) -> dict[str, int]:
        """Every bidder with their highest maximum."""
        highest_minor: dict[str, int] = {}
        for bid in self.bids:
            highest_minor[bid.bidder] = max(highest_minor.get(bid.bidder, 0), bid.maximum_minor)
        return highest_minor


def read_recording(path: Path) -> list[RecordedAuction]:
    """Read a file of recorded auctions; raise CommandFailed at the first line that is none."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(_rows(file, path))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} cannot be read: {error}") from error
    grouped: dict[str, list[tuple[dict[str, str], RecordedBid]]] = {}
    for row, bid in rows:
        grouped.setdefault(row["auction_id"], []).append((row, bid))
    if not grouped:
        raise CommandFailed(f"{path} has no auctions.")
    return [_auction(auction_id, entries) for auction_id, entries in grouped.items()]


def _rows(file: Iterator[str], path: Path) -> Iterator[tuple[dict[str, str], RecordedBid]]:
    reader = csv.DictReader(file)
    if missing := _COLUMNS - set(reader.fieldnames or ()):
        raise CommandFailed(f"{path} lacks the columns {', '.join(sorted(missing))}.")
    for row in reader:
        try:
            bid = RecordedBid(
                bidder=row["bidder"],
                maximum_minor=_minor(row["max_bid_usd"]),
                at_s=float(row["bid_time_days"]) * _S_PER_DAY,
            )
            _minor(row["opening_bid_usd"])
            _minor(row["final_price_usd"])
        except (InvalidOperation, TypeError, ValueError) as error:
            raise CommandFailed(f"{path}, line {reader.line_num}: {error or 'no bid'}") from error
        yield row, bid


def _auction(auction_id: str, entries: list[tuple[dict[str, str], RecordedBid]]) -> RecordedAuction:
    first, _ = entries[0]
    return RecordedAuction(
        recorded_id=auction_id,
        item=first["item"],
        opening_minor=_minor(first["opening_bid_usd"]),
        final_minor=_minor(first["final_price_usd"]),
        # A stable sort: bids of the same instant stay in the order of the file.
        bids=tuple(sorted((bid for _, bid in entries), key=lambda bid: bid.at_s)),
    )


def _minor(text: str) -> int:
    minor = Decimal(text).scaleb(2)
    if not minor.is_finite() or minor != minor.to_integral_value() or minor <= 0:
        raise ValueError(f"{text!r} is no amount such as 12.50")
    return int(minor)
