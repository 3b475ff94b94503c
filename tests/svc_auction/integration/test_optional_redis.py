"""A Redis that dies, comes back or hangs: readers get their answers, and do not wait."""

import asyncio
import signal
import time
from os import kill
from pathlib import Path

import pytest

from fakes.pictures import loading, never, picture_at
from kernel.ids import new_id
from stack.part import running
from stack.parts.redis import Redis
from stack.ports import PortReservations
from stack.secret import Secret
from svc_auction.infrastructure import optional_redis, read_cache
from svc_auction.infrastructure.read_cache import open_read_cache


@pytest.fixture
def own_redis(tmp_path: Path, port_reservations: PortReservations) -> Redis:
    """A Redis that only this test uses, and ends."""
    return Redis(folder=tmp_path, port=port_reservations.take(), secret=Secret.load(tmp_path / "s"))


async def test_redis_may_die_and_come_back(
    own_redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optional_redis, "ANSWER_S_MAX", 10.0)
    monkeypatch.setattr(optional_redis, "REST_S", 0.2)
    monkeypatch.setattr(read_cache, "PICTURE_TTL_MS", 60_000)
    auction_id = new_id()
    async with open_read_cache(own_redis.url) as cache:
        async with running(own_redis, log_folder=tmp_path) as process:
            assert process is not None
            await cache.announce({auction_id: (1, 1)})
            assert await cache.picture(auction_id, loading((1, 1))) == picture_at((1, 1))
            assert await cache.picture(auction_id, never) == picture_at((1, 1))
            process.kill()
            await process.wait()
            started_s = time.monotonic()
            for number in range(2, 30):
                await cache.announce({auction_id: (1, number)})
                fresh = await cache.picture(auction_id, loading((1, number)))
                assert fresh == picture_at((1, number))
            assert time.monotonic() - started_s < 10
        await asyncio.sleep(0.25)
        async with running(own_redis, log_folder=tmp_path):
            # It has forgotten the scripts too.
            await cache.announce({auction_id: (1, 40)})
            assert await cache.picture(auction_id, loading((1, 40))) == picture_at((1, 40))
            assert await cache.picture(auction_id, never) == picture_at((1, 40))


async def test_nobody_waits_for_a_redis_that_hangs(
    own_redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optional_redis, "ANSWER_S_MAX", 0.5)
    monkeypatch.setattr(optional_redis, "REST_S", 60.0)
    async with (
        running(own_redis, log_folder=tmp_path) as process,
        open_read_cache(own_redis.url) as cache,
    ):
        assert process is not None
        await cache.offer(new_id(), picture_at((1, 1)))
        kill(process.pid, signal.SIGSTOP)
        try:
            started_s = time.monotonic()
            for _ in range(20):
                assert await cache.picture(new_id(), loading((1, 1))) == picture_at((1, 1))
            assert time.monotonic() - started_s < 5
        finally:
            kill(process.pid, signal.SIGCONT)
