"""A Redis that may be away: nobody waits for it, and nobody fails with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

ANSWER_S_MAX = 0.15
"""How long a command may take: reading from Postgres instead takes no longer."""
REST_S = 1.0
"""How long Redis is left alone after it has failed."""

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)

_failures = Counter(
    "blytz_auction_redis_failures_total", "Commands that Redis did not answer in time."
)


class OptionalRedis:
    """Asks Redis as long as it answers; without a client it never does."""

    def __init__(self, client: Redis | None) -> None:
        self._client = client
        self._rests_until_s = 0.0

    async def ask(self, command: Callable[[Redis], Awaitable[Answer]]) -> Answer | None:
        """Return the answer to a command; None at once or soon if Redis is away."""
        clock = asyncio.get_running_loop().time
        if self._client is None or clock() < self._rests_until_s:
            return None
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await command(self._client)
        except (RedisError, OSError) as fault:  # a TimeoutError is an OSError
            _failures.inc()
            self._rests_until_s = clock() + REST_S
            log.warning("redis_away", error=repr(fault))
            return None
