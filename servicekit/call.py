"""One call as a handler sees it: who asks, until when, and what came with it."""

import contextvars
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from servicekit.contract import MethodContract
from servicekit.errors import TokenMissing
from servicekit.telemetry import accept_traceparent


@dataclass(frozen=True, slots=True)
class Person:
    """The person behind a call, as their verified access token says.

    ``user_id`` is a canonical UUID, ``roles`` are names such as ``SELLER``, ``name`` is the display
    name at sign-in, ``expires_at`` is when the token stops being accepted.
    """

    user_id: str
    roles: frozenset[str]
    name: str
    expires_at: datetime


class Call:
    """What a handler knows about its call.

    ``caller`` is the workload's name on the mesh, such as ``edge``; ``person`` is absent on public
    calls without a token; ``metadata`` holds the textual request headers.
    """

    __slots__ = ("_deadline_monotonic_s", "caller", "metadata", "method", "person", "traceparent")

    def __init__(
        self,
        *,
        method: MethodContract,
        metadata: Mapping[str, str],
        caller: str = "",
        person: Person | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self.method = method
        self.metadata = metadata
        self.caller = caller
        self.person = person
        self.traceparent = accept_traceparent(metadata.get("traceparent", ""))
        self._deadline_monotonic_s = None if timeout_s is None else time.monotonic() + timeout_s

    def deadline_s(self) -> float | None:
        """Return the seconds that are left, or None where the contract sets no limit."""
        if self._deadline_monotonic_s is None:
            return None
        return max(0.0, self._deadline_monotonic_s - time.monotonic())

    def require_person(self) -> Person:
        """Return the signed-in person; ``TokenMissing`` if there is none."""
        if self.person is None:
            raise TokenMissing
        return self.person


current_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar(
    "current_call", default=None
)
"""The call that the running task serves; client channels take deadline and trace from it."""
