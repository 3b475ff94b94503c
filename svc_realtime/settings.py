"""What svc_realtime can be told from outside; each field is ``BLYTZ_`` and its name."""

from dataclasses import dataclass

from servicekit.settings import ServiceSettings
from svc_realtime.application.limits import HubLimits
from svc_realtime.domain.history import HistoryLimits


@dataclass(frozen=True, kw_only=True)
class RealtimeSettings(ServiceSettings):
    """The bounds of the feeds; `HubLimits` says what each means."""

    feed_history_updates_max: int = 1_000
    feed_history_bytes_max: int = 256 * 1024
    feed_viewers_max: int = 20_000
    feed_viewer_buffer_bytes_max: int = 256 * 1024
    feed_viewer_stuck_s: float = 20.0
    feed_frame_interval_s: float = 0.05
    feed_heartbeat_s: float = 20.0
    feed_stream_age_s: float = 1800.0
    feed_rewind_s: float = 300.0
    """How far back in the event log a replica starts to read."""

    def hub_limits(self) -> HubLimits:
        """Return the bounds of the hub."""
        return HubLimits(
            history=HistoryLimits(
                updates_max=self.feed_history_updates_max, bytes_max=self.feed_history_bytes_max
            ),
            viewers_max=self.feed_viewers_max,
            viewer_buffer_bytes_max=self.feed_viewer_buffer_bytes_max,
            viewer_stuck_s=self.feed_viewer_stuck_s,
            frame_interval_s=self.feed_frame_interval_s,
            heartbeat_s=self.feed_heartbeat_s,
            stream_age_s=self.feed_stream_age_s,
        )
