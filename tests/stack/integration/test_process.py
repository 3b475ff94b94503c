import asyncio
import os
import pwd
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

from fakes.eventually import eventually
from stack.layout import PROJECT_ROOT
from stack.process import Command, Process, run_once

PYTHON = (sys.executable, "-I", "-S", "-c")


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has buried yet does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


async def _until_dead(pid: int) -> None:
    await eventually(lambda: not _is_alive(pid))


async def _first_line(path: Path) -> str:
    def text() -> str:
        return path.read_text() if path.exists() else ""

    await eventually(lambda: text().endswith("\n"))
    return text()


async def test_what_a_child_prints_is_in_its_log(tmp_path: Path) -> None:
    command = Command(
        argv=(*PYTHON, "import os; print('hello', os.environ['WHO'])"), environment={"WHO": "you"}
    )
    assert await run_once(command, log_path=tmp_path / "child.log") == 0
    assert (tmp_path / "child.log").read_text() == "hello you\n"


async def test_an_exit_code_is_told_to_all_who_wait(tmp_path: Path) -> None:
    process = Process.start(
        Command(argv=(*PYTHON, "raise SystemExit(7)")), log_path=tmp_path / "log"
    )
    assert tuple(await asyncio.gather(process.wait(), process.wait())) == (7, 7)
    assert await process.wait() == 7


async def test_a_child_that_ignores_the_request_is_killed_with_its_children(
    tmp_path: Path,
) -> None:
    program = """
        import os, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(child.pid, flush=True)
        time.sleep(600)
    """
    log_path = tmp_path / "log"
    command = Command(argv=(*PYTHON, textwrap.dedent(program)), grace_s=0.1)
    process = Process.start(command, log_path=log_path)
    text = await _first_line(log_path)
    assert await process.stop() == -signal.SIGKILL
    await _until_dead(int(text))


@pytest.mark.parametrize("killer", [signal.SIGKILL, signal.SIGTERM])
async def test_a_child_dies_with_its_parent(tmp_path: Path, killer: signal.Signals) -> None:
    program = f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(PROJECT_ROOT)!r})
        from stack.process import Command, Process
        sleeper = Command(argv=(sys.executable, "-c", "import time; time.sleep(600)"))
        print(Process.start(sleeper, log_path=Path({str(tmp_path / "log")!r})).pid, flush=True)
        time.sleep(600)
    """
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    child_pid = int(await parent.stdout.readline())
    assert _is_alive(child_pid)
    parent.send_signal(killer)
    await parent.wait()
    await _until_dead(child_pid)


async def test_cancelling_the_wait_kills_what_was_run(tmp_path: Path) -> None:
    log_path = tmp_path / "log"
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    task = asyncio.create_task(run_once(Command(argv=(*PYTHON, program)), log_path=log_path))
    pid = int(await _first_line(log_path))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await _until_dead(pid)


async def test_root_steps_down_and_still_reaches_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    (closed / "open" / "note").write_text("read")
    closed.chmod(0o700)
    note = str(closed / "open" / "note")
    program = f"import os; print(os.geteuid(), open({note!r}).read())"
    user = "nobody" if os.geteuid() == 0 else ""
    expected_uid = pwd.getpwnam("nobody").pw_uid if user else os.geteuid()
    reaching = Command(argv=(*PYTHON, program), user=user, reach_private_folders=bool(user))
    assert await run_once(reaching, log_path=tmp_path / "log") == 0
    assert (tmp_path / "log").read_text() == f"{expected_uid} read\n"
    plain = Command(argv=(*PYTHON, program), user=user)
    refused = await run_once(plain, log_path=tmp_path / "refused") != 0
    assert refused == bool(user)
