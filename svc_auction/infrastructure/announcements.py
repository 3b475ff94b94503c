"""What has changed on a shard since readers were last told, so that nobody keeps what is older."""

from collections.abc import Mapping

from prometheus_client import Counter

from svc_auction.application.ports import Position

WAITING_MAX = 20_000

_dropped = Counter(
    "blytz_auction_announcements_dropped_total",
    "Changes that readers were not told of: what they keep grows stale by itself within a second.",
)


class Announcements:
    """The newest known position of each auction that changed; it costs a bid one entry in a dict.

    A change may be noted before its commit: a position that is too new only keeps readers from
    caching for a while.
    """

    __slots__ = ("_newest",)

    def __init__(self) -> None:
        self._newest: dict[str, Position] = {}

    def note(self, auction_id: str, position: Position) -> None:
        """Have readers told that an auction has come to a position."""
        known = self._newest.get(auction_id)
        if known is None:
            if len(self._newest) >= WAITING_MAX:
                _dropped.inc()
                return
        elif known >= position:
            return
        self._newest[auction_id] = position

    def take(self) -> Mapping[str, Position]:
        """Return what was noted since the last time."""
        taken, self._newest = self._newest, {}
        return taken


def count_dropped(count: int) -> None:
    """Count changes that could not be announced."""
    _dropped.inc(count)
