"""RealtimeService over gRPC: a stream is a viewer of the hub."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionRequest
from servicekit.call import Call
from svc_realtime.application.hub import Hub
from svc_realtime.domain.position import Position


class RealtimeGrpcService:
    """The handlers of `blytz.realtime.v1.RealtimeService`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def WatchAuction(self, request: WatchAuctionRequest, call: Call) -> AsyncIterator[bytes]:
        """Stream an auction's frames, as the hub has serialised them for everyone."""
        resume_from = None
        if request.HasField("resume_from"):
            resume_from = Position(request.resume_from.epoch, request.resume_from.sequence)
        viewer = self._hub.watch(
            request.auction_id.lower(),
            resume_from=resume_from,
            expires_in_s=_left_s(call),
        )
        try:
            while (message := await viewer.next()) is not None:
                yield message
        finally:
            viewer.leave()


def _left_s(call: Call) -> float | None:
    """Return the seconds until the viewer's token expires, if there is one."""
    if call.person is None:
        return None
    return max(0.001, (call.person.expires_at - datetime.now(UTC)).total_seconds())
