"""Deadlines of many calls on one timer.

A timer of its own for every call costs more than the rest of what surrounds the call. The limits of
the contract are seconds; so calls are put into slots of 20 ms, and one timer looks at the slots.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SLOT_S = 0.02


class _Guarded:
    """A task within its deadline."""

    __slots__ = ("expired", "task")

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self.task = task
        self.expired = False


class Deadlines:
    """Ends tasks whose time is over; one object a loop."""

    def __init__(self) -> None:
        self._slots: dict[int, set[_Guarded]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """Cancel the block after ``seconds``, a slot sooner or later; raise ``TimeoutError``."""
        task = asyncio.current_task()
        if seconds is None or task is None:
            yield
            return
        loop = asyncio.get_running_loop()
        # Rounded down: a call that runs out of time must still be able to say so before its client
        # gives up, and the timer is up to a slot late.
        number = int((loop.time() + seconds) / SLOT_S)
        slot = self._slots.setdefault(number, set())
        guarded = _Guarded(task)
        slot.add(guarded)
        if self._timer is None:
            self._timer = loop.call_later(SLOT_S, self._look, loop)
        try:
            yield
        except asyncio.CancelledError:
            if guarded.expired and task.cancelling() == 1:
                raise TimeoutError from None
            raise
        finally:
            slot.discard(guarded)
            if guarded.expired:
                task.uncancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what is due, forget empty slots, and look again while there are any."""
        now = loop.time() / SLOT_S
        for number in [number for number in self._slots if number <= now]:
            for guarded in self._slots.pop(number):
                guarded.expired = True
                guarded.task.cancel()
        self._slots = {number: slot for number, slot in self._slots.items() if slot}
        self._timer = loop.call_later(SLOT_S, self._look, loop) if self._slots else None
