"""What happens to a show; each event has the next number of the show's own sequence."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowEvent:
    """Something that happened to a show at ``occurred_at``, as its event ``sequence``."""

    sequence: int
    occurred_at: datetime


class ShowScheduled(ShowEvent):
    """The show is announced."""


class ShowUpdated(ShowEvent):
    """The show, or what is next of its lots, was changed."""


class ShowStarted(ShowEvent):
    """The show is on; its first lot may be opened."""


class ShowEnded(ShowEvent):
    """The show is over."""
