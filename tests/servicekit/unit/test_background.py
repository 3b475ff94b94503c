import asyncio
from itertools import pairwise

import pytest

from fakes.eventually import eventually
from servicekit import background
from servicekit.background import running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "RESTART_AFTER_S_MIN", 0.001)
    monkeypatch.setattr(background, "RESTART_AFTER_S_MAX", 0.004)


async def test_a_loop_that_crashes_or_ends_is_started_again() -> None:
    starts: list[str] = []

    async def crashes() -> None:
        starts.append("crashes")
        raise RuntimeError("of course")

    async def ends() -> None:
        starts.append("ends")

    async with running([crashes, ends]):
        await eventually(lambda: min(starts.count("crashes"), starts.count("ends")) >= 4)


async def test_a_crash_does_not_disturb_the_others() -> None:
    turns = 0

    async def crashes() -> None:
        raise RuntimeError

    async def turning() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    async with running([crashes, turning]):
        await eventually(lambda: turns >= 20)


async def test_at_the_stop_every_loop_has_cleaned_up() -> None:
    closed: list[str] = []

    async def careful() -> None:
        try:
            await asyncio.sleep(3_600)
        finally:
            await asyncio.sleep(0.01)
            closed.append("careful")

    async def stubborn() -> None:
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            closed.append("stubborn")
            raise RuntimeError("while stopping") from None

    async with running([careful, stubborn]):
        await asyncio.sleep(0.01)
    assert sorted(closed) == ["careful", "stubborn"]
    assert not {task.get_name() for task in asyncio.all_tasks()} & {"careful", "stubborn"}


async def test_a_fault_of_the_block_goes_on_and_the_loops_stop() -> None:
    stopped = asyncio.Event()

    async def waiting() -> None:
        try:
            await asyncio.sleep(3_600)
        finally:
            stopped.set()

    async def fail() -> None:
        async with running([waiting]):
            await asyncio.sleep(0.01)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert stopped.is_set()


async def test_restarts_become_rarer_up_to_a_limit() -> None:
    moments: list[float] = []

    async def crashes() -> None:
        moments.append(asyncio.get_running_loop().time())
        raise RuntimeError

    async with running([crashes]):
        await eventually(lambda: len(moments) >= 6)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses[0] >= 0.001
    assert min(pauses[3:]) >= 0.004
