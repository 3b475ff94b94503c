"""Carries the event log's records from their thread into the loop, as changes."""

import asyncio
import threading
from collections.abc import Callable

import structlog

from svc_realtime.domain.change import Change
from svc_realtime.domain.errors import FeedUnavailable
from svc_realtime.infrastructure.event_log import EventLog
from svc_realtime.infrastructure.event_mapping import MalformedEvent, change_of

BATCHES_UNDER_WAY_MAX = 4
ROOM_POLL_S = 0.1
STOP_S_MAX = 10.0

log = structlog.get_logger(__name__)


class EventLogReader:
    """Feeds ``receive`` with changes, in the loop that runs ``run``.

    The thread waits while the loop has a few batches to do, so a slow loop never piles them up.
    """

    def __init__(
        self, *, open_log: Callable[[], EventLog], receive: Callable[[list[Change]], None]
    ) -> None:
        self._open_log = open_log
        self._receive = receive
        self._ready = False

    async def check(self) -> None:
        """Raise ``FeedUnavailable`` until the log has been reached for the first time."""
        if not self._ready:
            raise FeedUnavailable(dependency="the event log")

    async def run(self) -> None:
        """Read until cancelled."""
        loop = asyncio.get_running_loop()
        stop = threading.Event()
        ended: asyncio.Future[None] = loop.create_future()

        def read() -> None:
            fault: Exception | None = None
            try:
                self._read(loop, stop)
            except Exception as error:  # noqa: BLE001 - it is raised in the loop
                fault = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, ended, fault)

        threading.Thread(target=read, name="auction-events-reader", daemon=True).start()
        try:
            await asyncio.shield(ended)
        finally:
            stop.set()
            await asyncio.wait([ended], timeout=STOP_S_MAX)

    def _read(self, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> None:
        room = threading.BoundedSemaphore(BATCHES_UNDER_WAY_MAX)

        def receive(changes: list[Change]) -> None:
            try:
                self._receive(changes)
            finally:
                room.release()

        event_log = self._open_log()
        try:
            while not stop.is_set():
                changes = _changes_of(event_log.read())
                self._ready = event_log.connected
                while changes and not room.acquire(timeout=ROOM_POLL_S):
                    if stop.is_set():
                        return
                if changes:
                    loop.call_soon_threadsafe(receive, changes)
        finally:
            event_log.close()


def _changes_of(records: list[bytes]) -> list[Change]:
    changes = []
    for record in records:
        try:
            changes.append(change_of(record))
        except MalformedEvent as fault:
            # The auction's next event shows the gap, and its feed starts over.
            log.error("malformed_event", error=str(fault))  # noqa: TRY400 - the record is at fault
    return changes


def _settle(ended: asyncio.Future[None], fault: Exception | None) -> None:
    if ended.done():
        return
    if fault is None:
        ended.set_result(None)
    else:
        ended.set_exception(fault)
