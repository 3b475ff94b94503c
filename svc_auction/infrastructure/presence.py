"""Whether a shard's server is there: what is known to be away is refused at once.

A pool lets each caller wait a second for a connection. Behind a server that is away those seconds
would add up, one batch of bids after the other, so one caller at a time tries and the others are
told at once. A broken connection alone proves nothing, for the server may have ended just that one;
no new connection after it does.
"""

import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import Enum

import psycopg
from psycopg_pool import PoolTimeout

from kernel.errors import DependencyUnavailable
from servicekit.postgres import Connection
from svc_auction.domain.errors import ShardUnavailable

RETRY_AFTER_S = 0.5
TRY_EVERY_S = 0.4
"""How often a server that is away is tried; the timekeeper does so, callers if it does not."""
_SERVER_GONE = ("08", "57P")
"""The SQLSTATE classes of a connection that is broken and of a server that ends or starts."""


class Known(Enum):
    """What the last calls have shown."""

    THERE = 1
    IN_DOUBT = 2
    AWAY = 3


class Presence:
    """What is known of one server, by the calls that went to it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known = Known.IN_DOUBT
        self._trying = False
        self._tried_at_s = -math.inf

    @property
    def known(self) -> Known:
        """What the last calls have shown."""
        return self._known

    @asynccontextmanager
    async def through(
        self, connecting: AbstractAsyncContextManager[Connection]
    ) -> AsyncIterator[Connection]:
        """Yield the connection and learn from it; ``ShardUnavailable`` if the server is away."""
        trying = self._known is Known.AWAY
        if trying:
            if self._trying or self._clock() - self._tried_at_s < TRY_EVERY_S:
                raise ShardUnavailable(retry_after_s=RETRY_AFTER_S)
            self._trying = True
        try:
            async with connecting as connection:
                self._known = Known.THERE
                yield connection
        except DependencyUnavailable as error:
            self._learn(error.__cause__)
            raise ShardUnavailable(retry_after_s=error.retry_after_s or RETRY_AFTER_S) from error
        finally:
            if trying:
                self._trying = False
                self._tried_at_s = self._clock()

    def _learn(self, fault: BaseException | None) -> None:
        if not isinstance(fault, psycopg.OperationalError):
            return
        if isinstance(fault, PoolTimeout):
            # All connections may just be busy: it says something only of a server in doubt.
            gone = self._known is not Known.THERE
            self._tried_at_s = self._clock()
        else:
            gone = fault.sqlstate is None or fault.sqlstate.startswith(_SERVER_GONE)
        if gone:
            self._known = Known.IN_DOUBT if self._known is Known.THERE else Known.AWAY
