"""Places in an auction's log."""

from typing import NamedTuple


class Position(NamedTuple):
    """The last event that is included: its number, from 1 without gaps, within an epoch.

    Sequences compare only within the same epoch; it grows when an operator restores the log.
    """

    epoch: int
    sequence: int
