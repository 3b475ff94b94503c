"""Redis: what may be lost, between replicas. Nothing of record lives there.

The client reconnects by itself and tries a command again a few times; a caller still has to live
without an answer. Nothing waits for Redis longer than a call can.
"""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from servicekit.errors import DependencyUnavailable

CONNECT_TIMEOUT_S = 1.0
COMMAND_TIMEOUT_S = 1.0
HEALTH_CHECK_INTERVAL_S = 15
CONNECTIONS_MAX = 64
_RETRIES = 2


def connect(url: str, *, client_name: str = "blytz") -> Redis:
    """Return a client of the Redis at ``url``; it connects at its first command.

    A command fails with a ``redis.exceptions.RedisError`` after about three seconds at most. Close
    it with ``await client.aclose()``.
    """
    return Redis.from_url(
        url,
        client_name=client_name,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=COMMAND_TIMEOUT_S,
        socket_keepalive=True,
        health_check_interval=HEALTH_CHECK_INTERVAL_S,
        max_connections=CONNECTIONS_MAX,
        retry=Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.2), retries=_RETRIES),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )


async def check(client: Redis) -> None:
    """Raise ``DependencyUnavailable`` unless Redis answers; for a service's readiness."""
    try:
        await client.ping()
    except RedisError as error:
        raise DependencyUnavailable(dependency="redis", retry_after_s=0.5) from error
