"""What happened in a demonstration, counted."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from blytz_client import BlytzCallError


@dataclass(slots=True)
class Tally:
    """Counts; `refused` are the errors by reason, which are a part of life."""

    auctions_started: int = 0
    auctions_ended: int = 0
    auctions_sold: int = 0
    shows_ended: int = 0
    bids: int = 0
    deposits: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def note(self, error: BlytzCallError) -> None:
        """Count an error by its reason, or by its status where no service gave one."""
        self.refused[error.reason or error.status.name] += 1

    def as_json(self) -> dict[str, Any]:
        """Return the counts as one object."""
        return {
            "auctions_started": self.auctions_started,
            "auctions_ended": self.auctions_ended,
            "auctions_sold": self.auctions_sold,
            "shows_ended": self.shows_ended,
            "bids": self.bids,
            "deposits": self.deposits,
            "refused": dict(self.refused.most_common()),
        }
