"""A stream of bids: placed as they come, each answered as it is decided, none that ends the others.

The stream's own tasks are ended when the client goes, so that nothing is bid for nobody; a bid that
is on its way to the database then has the outcome that its ``request_id`` tells.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import structlog

from blytz.auction.v1.auction_service_pb2 import (
    PlaceBidRequest,
    PlaceBidResponse,
    PlaceBidsRequest,
    PlaceBidsResponse,
)
from kernel.errors import BlytzError
from servicekit.call import Person
from servicekit.errors import InternalFault, TokenExpired, to_status
from servicekit.rate import TokenBucket

IN_FLIGHT_MAX = 256
"""How many bids of one stream are under way at once; the next is read when one is decided."""

log = structlog.get_logger(__name__)


class BidStream:
    """The bids of one call, placed by ``place`` for ``person`` at the rate of ``bucket``."""

    def __init__(
        self,
        *,
        place: Callable[[PlaceBidRequest], Awaitable[PlaceBidResponse]],
        person: Person,
        bucket: TokenBucket,
    ) -> None:
        self._place = place
        self._person = person
        self._bucket = bucket
        self._verdicts: asyncio.Queue[PlaceBidsResponse | None] = asyncio.Queue()
        self._places_free = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._placing: set[asyncio.Task[None]] = set()

    async def verdicts(
        self, requests: AsyncIterator[PlaceBidsRequest]
    ) -> AsyncGenerator[PlaceBidsResponse, None]:
        """Yield the verdicts in the order of their commits; raise what ended the requests."""
        reading = asyncio.create_task(self._read(requests), name="bid-stream")
        try:
            while (verdict := await self._verdicts.get()) is not None:
                yield verdict
            await reading
        finally:
            for task in (reading, *self._placing):
                task.cancel()

    async def _read(self, requests: AsyncIterator[PlaceBidsRequest]) -> None:
        try:
            async for request in requests:
                await self._places_free.acquire()
                task = asyncio.create_task(self._decide(request.bid), name="bid-of-stream")
                self._placing.add(task)
                task.add_done_callback(self._placing.discard)
        finally:
            if self._placing:
                await asyncio.wait(set(self._placing))
            self._verdicts.put_nowait(None)

    async def _decide(self, request: PlaceBidRequest) -> None:
        answer = PlaceBidsResponse(request_id=request.request_id)
        try:
            # The gateway looked at the token when the stream was opened, and never again.
            if self._person.expires_at <= datetime.now(UTC):
                raise TokenExpired  # noqa: TRY301 - a refusal like those of the rules
            self._bucket.take()
            answer.accepted.CopyFrom(await self._place(request))
        except BlytzError as refusal:
            answer.refused.CopyFrom(to_status(refusal))
        except Exception:
            log.exception("bid_failed")
            answer.refused.CopyFrom(to_status(InternalFault()))
        finally:
            self._places_free.release()
        self._verdicts.put_nowait(answer)
