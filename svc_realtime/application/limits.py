"""Every bound of the hub, in one place."""

from dataclasses import dataclass, field

from svc_realtime.domain.history import HistoryLimits


@dataclass(frozen=True, kw_only=True, slots=True)
class HubLimits:
    """How much is kept, how often is sent, how long is waited."""

    history: HistoryLimits = field(default_factory=HistoryLimits)
    histories_bytes_max: int = 128 * 1024 * 1024
    """All auctions together; auctions that nobody watches are forgotten first."""
    auctions_max: int = 20_000
    viewers_max: int = 20_000

    frame_interval_s: float = 0.05
    """The least time between two frames of an auction; the first after a pause leaves at once."""
    frame_updates_max: int = 250
    frame_bytes_max: int = 64 * 1024
    """A frame that has reached either leaves at once."""

    viewer_buffer_bytes_max: int = 256 * 1024
    """What waits for one viewer; beyond it they get a snapshot instead."""
    viewer_stuck_s: float = 20.0
    """How long a viewer may take nothing after that before they are closed."""

    heartbeat_s: float = 20.0
    stream_age_s: float = 1800.0
    stream_age_jitter: float = 0.2
    """A stream ends after its age, more or less this part of it."""

    snapshot_linger_s: float = 60.0
    """How long an auction's snapshot is kept up after its last viewer."""
    catch_up_s: float = 1.0
    """How long the log may take to reach a snapshot that is ahead of it."""
