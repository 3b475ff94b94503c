"""The cache on a real Redis: what is older never takes a newer one's place."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.pictures import loading, never, picture_at
from kernel.ids import new_id
from servicekit.redis import connect
from svc_auction.application.ports import Position
from svc_auction.infrastructure import optional_redis, read_cache
from svc_auction.infrastructure.announcements import Announcements
from svc_auction.infrastructure.read_cache import (
    AnnouncementLoop,
    Page,
    Picture,
    ReadCache,
    open_read_cache,
)

positions = st.tuples(st.integers(1, 2), st.integers(1, 12))
steps = st.lists(st.tuples(st.sampled_from(["offer", "announce"]), positions), max_size=25)


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[ReadCache]:
    async with open_read_cache(redis_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a Redis that is there answer however busy the machine is."""
    monkeypatch.setattr(optional_redis, "ANSWER_S_MAX", 10.0)


@pytest.fixture
def slow_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets nothing end by itself."""
    monkeypatch.setattr(read_cache, "PICTURE_TTL_MS", 60_000)
    monkeypatch.setattr(read_cache, "FLOOR_TTL_MS", 60_000)


async def kept_in(redis_url: str, auction_id: str) -> Picture | None:
    async with open_read_cache(redis_url) as other:
        return (await other._kept(auction_id))[0]


async def follow(redis_url: str, made: list[tuple[str, Position]]) -> None:
    """Take the steps, comparing what is kept with what the rule says after each."""
    auction_id, kept, floor = new_id(), (0, 0), (0, 0)
    async with open_read_cache(redis_url) as cache:
        for step, position in made:
            if step == "announce":
                await cache.announce({auction_id: position})
                floor = max(floor, position)
                kept = kept if kept >= floor else (0, 0)
            else:
                taken = await cache.offer(auction_id, picture_at(position))
                assert taken == (position >= max(kept, floor))
                kept = position if taken else kept
            found, found_floor = await cache._kept(auction_id)
            assert found == (picture_at(kept) if kept > (0, 0) else None)
            assert (found_floor or (0, 0)) == floor


@pytest.mark.usefixtures("slow_time")
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(made=steps)
def test_an_older_state_never_takes_a_newer_ones_place(
    redis_url: str, made: list[tuple[str, Position]]
) -> None:
    asyncio.run(follow(redis_url, made))


async def race(redis_url: str, made: list[tuple[str, Position]]) -> None:
    """Take the steps all at once, from two processes' caches, as they happen to interleave."""
    auction_id = new_id()
    floor = max((p for step, p in made if step == "announce"), default=(0, 0))
    newest = max((p for step, p in made if step == "offer"), default=(0, 0))
    async with open_read_cache(redis_url) as one, open_read_cache(redis_url) as two:
        await asyncio.gather(
            *(
                cache.announce({auction_id: position})
                if step == "announce"
                else cache.offer(auction_id, picture_at(position))
                for number, (step, position) in enumerate(made)
                for cache in [(one, two)[number % 2]]
            )
        )
        found, found_floor = await one._kept(auction_id)
    assert (found_floor or (0, 0)) == floor
    assert found == (picture_at(newest) if newest > (0, 0) and newest >= floor else None)


@pytest.mark.usefixtures("slow_time")
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(made=steps)
def test_whatever_the_order_the_newest_state_is_kept(
    redis_url: str, made: list[tuple[str, Position]]
) -> None:
    asyncio.run(race(redis_url, made))


@pytest.mark.usefixtures("slow_time")
async def test_a_slow_reader_neither_keeps_nor_returns_what_has_become_old(
    redis_url: str, cache: ReadCache
) -> None:
    auction_id, read, go_on = new_id(), asyncio.Event(), asyncio.Event()
    floors: list[Position | None] = []

    async def load(floor: Position | None) -> Picture:
        floors.append(floor)
        if len(floors) > 1:
            return picture_at((1, 10))
        read.set()
        await go_on.wait()
        return picture_at((1, 9))

    reading = asyncio.create_task(cache.picture(auction_id, load))
    await read.wait()
    await cache.announce({auction_id: (1, 10)})
    go_on.set()
    assert await reading == picture_at((1, 10))
    assert floors == [None, (1, 10)]
    assert await kept_in(redis_url, auction_id) == picture_at((1, 10))


@pytest.mark.usefixtures("slow_time")
async def test_an_announced_change_is_read_at_once(cache: ReadCache) -> None:
    auction_id = new_id()
    assert await cache.picture(auction_id, loading((1, 3))) == picture_at((1, 3))
    assert await cache.picture(auction_id, never) == picture_at((1, 3))
    noted = [Announcements(), Announcements()]
    noted[1].note(auction_id, (1, 4))
    await AnnouncementLoop(sources=noted, cache=cache).flush()
    assert await cache.picture(auction_id, loading((1, 4))) == picture_at((1, 4))
    await cache.announce({auction_id: (1, 4)})
    assert await cache.picture(auction_id, never) == picture_at((1, 4))


@pytest.mark.usefixtures("slow_time")
async def test_a_source_that_stays_behind_the_floor_is_shown_and_not_kept(
    redis_url: str, cache: ReadCache
) -> None:
    """As when a change was announced whose transaction was undone."""
    auction_id = new_id()
    await cache.announce({auction_id: (1, 5)})
    assert await cache.picture(auction_id, loading((1, 4))) == picture_at((1, 4))
    assert await kept_in(redis_url, auction_id) is None


async def test_what_is_kept_and_its_floor_end_by_themselves(redis_url: str) -> None:
    client, auction_id = connect(redis_url), new_id()
    async with open_read_cache(redis_url) as cache:
        await cache.offer(auction_id, picture_at((1, 1)))
        await cache.announce({auction_id: (1, 1)})
        await cache.page("k", lambda: _page("k", ttl_ms=500))
    lasting = [await client.pttl(key) for key in read_cache._keys(auction_id)]
    page_ms = await client.pttl("auction:page:k")
    await client.aclose()
    # -2 is what is gone already.
    assert lasting[0] == -2 or 0 < lasting[0] <= 1_200
    assert lasting[1] == -2 or lasting[0] < lasting[1] <= 5_000
    assert page_ms == -2 or 0 < page_ms <= 600


async def _page(key: str, *, ttl_ms: int = 60_000) -> Page:
    return Page(key, f"page {key}".encode(), ttl_ms)


async def test_a_page_is_kept_under_the_position_that_it_was_read_at(cache: ReadCache) -> None:
    asked, read = new_id(), new_id()
    assert await cache.page(asked, lambda: _page(read)) == f"page {read}".encode()

    async def refuse() -> Page:
        raise AssertionError("It was read though it was kept.")

    assert await cache.page(read, refuse) == f"page {read}".encode()
    with pytest.raises(AssertionError):
        await cache.page(asked, refuse)


@pytest.mark.parametrize("with_redis", [True, False])
async def test_many_who_ask_at_once_cost_one_reading(
    redis_url: str,
    with_redis: bool,  # noqa: FBT001
) -> None:
    auction_id, readings = new_id(), 0

    async def load(_floor: Position | None) -> Picture:
        nonlocal readings
        readings += 1
        await asyncio.sleep(0.05)
        return picture_at((1, 1))

    async with open_read_cache(redis_url if with_redis else "") as cache:
        asked = [asyncio.create_task(cache.picture(auction_id, load)) for _ in range(50)]
        await asyncio.sleep(0)
        # Whoever goes away takes nobody else's answer along.
        asked[0].cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert answers[1:] == [picture_at((1, 1))] * 49
        assert readings == 1
        assert cache._running == {}


async def test_a_failure_is_everyones_and_is_not_kept(cache: ReadCache) -> None:
    auction_id = new_id()

    async def fail(_floor: Position | None) -> Picture:
        raise LookupError(auction_id)

    asked = [cache.picture(auction_id, fail) for _ in range(3)]
    assert all(
        isinstance(e, LookupError) for e in await asyncio.gather(*asked, return_exceptions=True)
    )
    assert await cache.picture(auction_id, loading((1, 1))) == picture_at((1, 1))


async def test_without_redis_every_reading_is_fresh() -> None:
    async with open_read_cache("") as cache:
        await cache.announce({new_id(): (1, 1)})
        load = loading((1, 1), (1, 2), (1, 3))
        auction_id = new_id()
        answers = [await cache.picture(auction_id, load) for _ in range(3)]
        assert answers == [picture_at((1, n)) for n in (1, 2, 3)]
