"""A mesh in the background: its data outlives a crash of everything, its processes do not."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fakes.eventually import eventually
from fakes.running_mesh import RunningMesh
from stack.layout import python_path
from stack.parts.postgres import Postgres


def _blytz(data_dir: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "stack", *arguments, "--json", "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        check=False,
        # From anywhere: nothing may depend on the current folder.
        cwd=data_dir,
        env={"PYTHONPATH": python_path()},
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _processes_of(data_dir: Path) -> set[int]:
    """Return the processes whose command line or environment names the data folder."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(data_dir).encode() in told:
            found.add(int(entry.name))
    return found


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    _blytz(folder, "down")


async def test_data_outlives_a_crash_of_everything_and_processes_do_not(data_dir: Path) -> None:
    up = _blytz(data_dir, "up", "--detach", "--port", "0", "--workers", "2")
    assert up["ready"] is True
    assert {"auction-2", "realtime-2"} <= set(up["parts"])
    with psycopg.connect(up["postgres"]["auction"]) as connection:
        connection.execute("create table kept as select 42 as answer")

    os.kill(up["pid"], signal.SIGKILL)
    await eventually(lambda: not _processes_of(data_dir), within_s=20)

    again = _blytz(data_dir, "up", "--detach", "--port", "0")
    assert again["postgres"]["auction"].split("@")[0] == up["postgres"]["auction"].split("@")[0]
    with psycopg.connect(again["postgres"]["auction"]) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)

    assert _blytz(data_dir, "down")["stopped"] is True
    assert not _processes_of(data_dir)


def test_servers_elsewhere_take_the_place_of_our_own(
    tmp_path: Path, postgres_server: Postgres, kafka_bootstrap: str, redis_url: str
) -> None:
    environment = {
        "BLYTZ_POSTGRES_URL": f"{postgres_server.url}/postgres",
        "BLYTZ_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "BLYTZ_REDIS_URL": redis_url,
    }
    with RunningMesh.started(tmp_path, **environment) as mesh:
        state = mesh.state
        for part in ("postgres", "kafka", "redis"):
            assert state["parts"][part]["pid"] is None
            assert state["parts"][part]["ready"] is True
        assert state["kafka_bootstrap"] == kafka_bootstrap
        assert postgres_server.address in state["postgres"]["payment"]
        assert not (mesh.data_dir / "postgres").exists()
