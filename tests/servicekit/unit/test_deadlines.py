import asyncio
from contextlib import suppress

import pytest

from servicekit.deadlines import SLOT_S, Deadlines


async def test_a_block_that_takes_too_long_times_out() -> None:
    deadlines = Deadlines()
    clock = asyncio.get_running_loop().time
    started_s = clock()
    with pytest.raises(TimeoutError), deadlines.within(0.1):
        await asyncio.sleep(60)
    assert clock() - started_s >= 0.1 - SLOT_S
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_block_in_time_is_left_alone_for_ever() -> None:
    deadlines = Deadlines()
    with deadlines.within(0.03):
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    with pytest.raises(LookupError), deadlines.within(0.03):
        raise LookupError
    await asyncio.sleep(0.1)


async def test_no_time_at_all_is_soon_over() -> None:
    with pytest.raises(TimeoutError), Deadlines().within(0.0):
        await asyncio.sleep(60)


async def test_without_a_limit_nothing_ends() -> None:
    with Deadlines().within(None):
        await asyncio.sleep(0.05)


async def test_somebody_elses_cancellation_stays_one() -> None:
    deadlines = Deadlines()

    async def guarded() -> None:
        with deadlines.within(60):
            await asyncio.sleep(60)

    task = asyncio.create_task(guarded())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_many_calls_end_each_in_its_own_time() -> None:
    deadlines = Deadlines()
    clock = asyncio.get_running_loop().time
    lasted_s: dict[float, float] = {}

    async def call(limit_s: float) -> None:
        started_s = clock()
        try:
            with deadlines.within(limit_s):
                await asyncio.sleep(60)
        except TimeoutError:
            lasted_s[limit_s] = clock() - started_s

    limits = [0.01 * number for number in range(1, 31)]
    await asyncio.gather(*map(call, limits))
    assert len(lasted_s) == 30
    assert all(lasted >= limit - SLOT_S - 0.001 for limit, lasted in lasted_s.items())


async def test_the_timer_rests_when_nobody_needs_it() -> None:
    deadlines = Deadlines()
    for _ in range(2):
        with deadlines.within(0.02):
            pass
        assert deadlines._timer is not None
        for _ in range(100):
            if deadlines._timer is None:
                break
            await asyncio.sleep(0.01)
        assert deadlines._timer is None
        assert deadlines._slots == {}


async def test_an_inner_limit_is_the_inner_blocks() -> None:
    deadlines = Deadlines()
    with deadlines.within(60):
        with pytest.raises(TimeoutError), deadlines.within(0.02):
            await asyncio.sleep(60)
        await asyncio.sleep(0.05)


async def test_a_block_that_swallows_its_end_leaves_no_trace() -> None:
    deadlines = Deadlines()
    task = asyncio.current_task()
    assert task is not None
    with deadlines.within(0.02), suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    assert task.cancelling() == 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)
