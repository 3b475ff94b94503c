"""A strict client of a feed: it believes nothing that does not follow from what it has."""

from blytz.common.v1.position_pb2 import Position as PositionMessage
from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionResponse
from fakes.auction_world import AuctionWorld
from svc_realtime.application.viewer import Viewer
from svc_realtime.domain.position import Position


class FeedClient:
    """Checks each frame against the true history of its auction."""

    def __init__(self, world: AuctionWorld) -> None:
        self.world = world
        self.position: Position | None = None
        self.frames: list[WatchAuctionResponse] = []
        self.first_of_stream = True
        self.reconnect = False
        self.snapshots = 0
        self.updates = 0

    def reopened(self) -> None:
        self.first_of_stream = True
        self.reconnect = False

    def drain(self, viewer: Viewer) -> None:
        """Take all that is there."""
        while (message := viewer.take()) is not None:
            self.see(WatchAuctionResponse.FromString(message))

    def see(self, frame: WatchAuctionResponse) -> None:
        self.frames.append(frame)
        assert not self.reconnect, "a frame after the last"
        assert frame.HasField("server_time")
        if frame.reconnect:
            self.reconnect = True
            if not frame.HasField("position"):
                assert self.position is None
                return
        position = Position(frame.position.epoch, frame.position.sequence)
        if frame.HasField("snapshot"):
            self._see_snapshot(frame, position)
        else:
            self._see_updates(frame, position)
        self.position = position
        self.first_of_stream = False

    def _see_snapshot(self, frame: WatchAuctionResponse, position: Position) -> None:
        assert not frame.recovered
        assert not frame.updates
        if self.position is not None:
            assert position >= self.position, "back in time"
        expected = self.world.pictures[position.sequence]
        got = frame.snapshot
        assert got.auction.position == PositionMessage(
            epoch=position.epoch, sequence=position.sequence
        )
        assert got == expected, f"snapshot at {position.sequence}"
        self.snapshots += 1

    def _see_updates(self, frame: WatchAuctionResponse, position: Position) -> None:
        assert self.position is not None, "updates without a start"
        if self.first_of_stream and not frame.reconnect:
            assert frame.recovered, "a stream that resumes says so"
        assert position.epoch == self.position.epoch
        expected = [
            n
            for n in range(self.position.sequence + 1, position.sequence + 1)
            if self.world.change(n).update
        ]
        assert [update.sequence for update in frame.updates] == expected
        self.updates += len(expected)
