"""The Redis client against a real Redis, and against none."""

import asyncio
import time

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from kernel.ids import new_id
from servicekit.errors import DependencyUnavailable
from servicekit.redis import check, connect
from stack.ports import PortReservations


async def test_it_sets_gets_and_is_ready(redis_url: str) -> None:
    client = connect(redis_url)
    key = new_id()
    await check(client)
    assert await client.set(key, b"value", ex=5)
    assert await client.get(key) == b"value"
    await client.aclose()


async def test_a_connection_that_was_cut_is_made_again(redis_url: str) -> None:
    client, operator = connect(redis_url, client_name="cut"), connect(redis_url)
    await client.ping()
    for other in await operator.client_list():
        if other["name"] == "cut":
            await operator.client_kill_filter(_id=other["id"])
    await client.ping()
    await client.aclose()
    await operator.aclose()


async def test_a_quiet_subscription_lasts_longer_than_the_timeout_of_a_command(
    redis_url: str,
) -> None:
    client = connect(redis_url)
    channel = new_id()
    async with client.pubsub() as subscription:
        await subscription.subscribe(channel)

        async def next_message() -> bytes:
            async for message in subscription.listen():
                if message["type"] == "message":
                    return bytes(message["data"])
            raise LookupError

        waiting = asyncio.create_task(next_message())
        await asyncio.sleep(1.3)
        await client.publish(channel, b"hello")
        async with asyncio.timeout(2):
            assert await waiting == b"hello"
    await client.aclose()


async def test_without_redis_a_command_fails_soon(port_reservations: PortReservations) -> None:
    client = connect(f"redis://127.0.0.1:{port_reservations.take()}/0")
    started_s = time.monotonic()
    with pytest.raises(RedisConnectionError):
        await client.ping()
    with pytest.raises(DependencyUnavailable, match="redis"):
        await check(client)
    assert time.monotonic() - started_s < 5
    await client.aclose()
