import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fakes.eventually import eventually
from fakes.small_part import SERVE_FOREVER, SmallPart
from stack.keeper import Keeper, PartState
from stack.part import PartFailed
from stack.supervisor import Supervisor


@asynccontextmanager
async def supervised(
    *parts: SmallPart, folder: Path, on_change: Callable[[Keeper], None] = lambda _: None
) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(parts, log_folder=folder, on_change=on_change)
    stopping = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stopping))
    try:
        async with asyncio.timeout(20):
            await asyncio.gather(*(keeper.ready.wait() for keeper in supervisor.keepers.values()))
        yield supervisor
    finally:
        stopping.set()
        await running


async def test_parts_come_up_after_those_they_need_and_go_before_them(tmp_path: Path) -> None:
    order: list[tuple[str, PartState]] = []

    def note(keeper: Keeper) -> None:
        order.append((keeper.part.name, keeper.state))

    parts = (
        SmallPart(name="store", folder=tmp_path),
        SmallPart(name="service", folder=tmp_path, needs=("store",)),
        SmallPart(name="door", folder=tmp_path, needs=("service",)),
    )
    async with supervised(*parts, folder=tmp_path, on_change=note) as supervisor:
        assert supervisor.is_ready
    names = [name for name, state in order if state is PartState.READY]
    assert names == ["store", "service", "door"]
    assert [name for name, state in order if state is PartState.STOPPED] == names[::-1]
    for earlier, later in (("store", "service"), ("service", "door")):
        ready = order.index((earlier, PartState.READY))
        assert ready < order.index((later, PartState.STARTING))


async def test_a_killed_part_comes_back_within_a_moment(tmp_path: Path) -> None:
    part = SmallPart(name="service", folder=tmp_path)
    async with supervised(part, folder=tmp_path) as supervisor:
        keeper = supervisor.keepers["service"]
        first = keeper.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        began_s = time.monotonic()
        await eventually(lambda: keeper.pid not in {None, first} and keeper.ready.is_set())
        assert time.monotonic() - began_s < 5
        assert keeper.restarts == 1
        assert part.prepared == 1
        assert "signal 9" in keeper.last_words


async def test_a_part_that_cannot_start_is_one_line_and_ends_everything(tmp_path: Path) -> None:
    sound = SmallPart(name="store", folder=tmp_path)
    broken = SmallPart(
        name="service",
        folder=tmp_path,
        program="print('The password is wrong.'); raise SystemExit(3)",
        needs=("store",),
    )
    supervisor = Supervisor([sound, broken], log_folder=tmp_path)
    with pytest.raises(PartFailed) as failed:
        await supervisor.run(asyncio.Event())
    line = str(failed.value)
    assert "\n" not in line
    assert "service was tried 5 times" in line
    assert "exit code 3" in line
    assert "The password is wrong." in line
    assert broken.starts == 5
    assert supervisor.keepers["store"].state is PartState.STOPPED
    assert supervisor.keepers["store"].pid is None


async def test_a_part_that_starts_at_the_third_attempt_is_fine(tmp_path: Path) -> None:
    counter = tmp_path / "attempts"
    program = (
        f"import pathlib, sys; c = pathlib.Path({str(counter)!r});"
        "n = int(c.read_text()) if c.exists() else 1; c.write_text(str(n + 1));"
        "n < 3 and sys.exit(1);"
    )
    part = SmallPart(name="service", folder=tmp_path, program=program + SERVE_FOREVER)
    async with supervised(part, folder=tmp_path) as supervisor:
        assert part.starts == 3
        assert supervisor.keepers["service"].restarts == 0


async def test_one_who_needs_a_fallen_part_waits_for_it(tmp_path: Path) -> None:
    parts = (
        SmallPart(name="store", folder=tmp_path),
        SmallPart(name="service", folder=tmp_path, needs=("store",)),
    )
    async with supervised(*parts, folder=tmp_path) as supervisor:
        for keeper in supervisor.keepers.values():
            assert keeper.pid is not None
            os.kill(keeper.pid, signal.SIGKILL)
        keepers = supervisor.keepers.values()
        await eventually(lambda: all(each.restarts and each.ready.is_set() for each in keepers))


async def test_stopping_in_the_middle_of_a_start_leaves_nothing(tmp_path: Path) -> None:
    never = SmallPart(name="service", folder=tmp_path, program="import time; time.sleep(600)")
    supervisor = Supervisor([never], log_folder=tmp_path)
    stopping = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stopping))
    keeper = supervisor.keepers["service"]
    await eventually(lambda: keeper.pid is not None)
    pid = keeper.pid
    assert pid is not None
    stopping.set()
    await running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
