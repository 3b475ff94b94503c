"""The hub's figures for Prometheus.

The hub counts in plain integers, because it counts each delivery; they are published each second.
"""

import asyncio
from dataclasses import replace

from prometheus_client import Counter, Gauge, Histogram

from svc_realtime.application.hub import Hub
from svc_realtime.application.ports import Tally

PUBLISH_S = 1.0

_viewers = Gauge("blytz_realtime_viewers", "Viewers of this replica.")
_auctions = Gauge("blytz_realtime_auctions", "Auctions that this replica follows.")
_counters = {
    "frames_sent": Counter("blytz_realtime_frames_total", "Frames that left for viewers."),
    "updates_sent": Counter(
        "blytz_realtime_deliveries_total", "Updates that left for viewers, each viewer counted."
    ),
    "bytes_sent": Counter("blytz_realtime_frame_bytes_total", "Bytes of frames that left."),
    "duplicates_dropped": Counter(
        "blytz_realtime_duplicates_total", "Events that were known and dropped."
    ),
    "breaks": Counter(
        "blytz_realtime_resyncs_total", "Feeds with viewers that started over after a gap."
    ),
    "loads": Counter("blytz_realtime_snapshot_loads_total", "Snapshots asked of svc_auction."),
    "load_failures": Counter(
        "blytz_realtime_snapshot_load_failures_total", "Snapshots that could not be had."
    ),
    "conflations": Counter(
        "blytz_realtime_conflations_total", "Viewers whose buffer gave way to a snapshot."
    ),
    "too_slow": Counter("blytz_realtime_too_slow_total", "Viewers closed as too slow."),
    "recovered": Counter("blytz_realtime_recovered_total", "Streams resumed without loss."),
    "not_recovered": Counter(
        "blytz_realtime_not_recovered_total", "Snapshots given where updates were missed."
    ),
}
staleness_seconds = Histogram(
    "blytz_realtime_staleness_seconds",
    "From an event's commit until it left for a viewer; a sample.",
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5, 30),
)


class Meter:
    """Publishes what the hub has done since the last time."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._published = Tally()

    async def run(self) -> None:
        """Publish each second, forever."""
        while True:
            self.publish()
            await asyncio.sleep(PUBLISH_S)

    def publish(self) -> None:
        """Publish now."""
        _viewers.set(self._hub.tally.viewers)
        _auctions.set(self._hub.auction_count)
        now = replace(self._hub.tally)
        for name, counter in _counters.items():
            counter.inc(getattr(now, name) - getattr(self._published, name))
        self._published = now
