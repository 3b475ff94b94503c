"""Calls that outlive a fault: made again while a part is away or asks for a pause."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc

from blytz_client import BlytzCallError
from blytz_client.backoff import Backoff

PATIENCE_S = 60.0
"""The supervision brings a killed part back in seconds; what is away for longer is broken."""

OUTCOME_UNKNOWN = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""After these nobody knows whether the call had its effect."""

_BACKOFF = Backoff(first_s=0.05, longest_s=2.0)
_CERTAINLY_UNDONE = frozenset({grpc.StatusCode.RESOURCE_EXHAUSTED})

Answer = TypeVar("Answer")


async def persist(
    call: Callable[[], Awaitable[Answer]], *, patience_s: float = PATIENCE_S
) -> Answer:
    """Make a call that may be repeated until it is answered, for up to ``patience_s`` seconds.

    The call must be idempotent, by nature or by the same ``request_id`` each time. A pause that the
    server asks for (RetryInfo) is honoured and does not count as impatience.
    """
    return await _insist(call, again=OUTCOME_UNKNOWN | _CERTAINLY_UNDONE, patience_s=patience_s)


async def queue(call: Callable[[], Awaitable[Answer]], *, patience_s: float = PATIENCE_S) -> Answer:
    """Make a call that has an effect each time; repeat it only where it certainly had none."""
    return await _insist(call, again=_CERTAINLY_UNDONE, patience_s=patience_s)


async def _insist(
    call: Callable[[], Awaitable[Answer]],
    *,
    again: frozenset[grpc.StatusCode],
    patience_s: float,
) -> Answer:
    give_up_at_s = time.monotonic() + patience_s
    attempt = 0
    while True:
        try:
            return await call()
        except BlytzCallError as error:
            if error.status not in again or time.monotonic() > give_up_at_s:
                raise
            delay_s = _BACKOFF.delay_s(attempt, error.retry_after_s)
        await asyncio.sleep(delay_s)
        attempt += 1
