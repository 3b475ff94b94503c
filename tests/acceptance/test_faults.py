"""The replay goes on while the auction service and then Postgres are killed: nothing is lost.

What would tell is itself tested: tests/stack/unit/test_replay_evidence.py plants every fault.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from psycopg import sql

from fakes.auction_scene import Scene, cast_on, usd
from fakes.protocols import NativeGrpc
from fakes.running_mesh import RunningMesh
from stack.layout import python_path

AUCTIONS = 30
SPEED = 30_000
"""A week in twenty seconds: long enough to be killed in, and the bids crowd at the end."""
REPLAY_WITHIN_S = 180.0
BIDS_BETWEEN_KILLS = 25
REASON_WITHIN_S = 20.0


def blytz(mesh: RunningMesh, *arguments: str) -> list[str]:
    command, *rest = arguments
    options = ["--json", "--data-dir", str(mesh.data_dir)]
    return [sys.executable, "-m", "stack", command, *options, *rest]


@contextmanager
def replaying(mesh: RunningMesh, log_path: Path) -> Iterator["subprocess.Popen[str]"]:
    arguments = ("--limit", str(AUCTIONS), "--speed", str(SPEED), "--watch")
    with log_path.open("w") as log:
        process = subprocess.Popen(
            blytz(mesh, "replay", *arguments, "--at-once", str(AUCTIONS)),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={"PYTHONPATH": python_path()},
        )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def await_bids(mesh: RunningMesh, process: "subprocess.Popen[str]", count: int) -> int:
    """Wait until so many more bids are committed; return how many there are."""
    url = mesh.state["postgres"]["auction"]
    give_up_at_s = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as shard:
        wanted = count + _bid_count(shard)
        while (found := _bid_count(shard)) < wanted:
            assert process.poll() is None, "the replay ended before it was hurt"
            assert time.monotonic() < give_up_at_s
            time.sleep(0.05)
    return found


def _bid_count(shard: psycopg.Connection[Any]) -> int:
    row = shard.execute("select count(*) from bids").fetchone()
    assert row is not None
    return int(row[0])


def test_nothing_is_lost_when_the_service_and_then_postgres_are_killed(
    mesh: RunningMesh, tmp_path: Path
) -> None:
    log_path = tmp_path / "replay.log"
    with replaying(mesh, log_path) as process:
        for part in ("auction", "postgres"):
            await_bids(mesh, process, BIDS_BETWEEN_KILLS)
            restarts = mesh.state["parts"][part]["restarts"]
            mesh.kill(part)
            mesh.await_restart(part, restarts=restarts + 1)
        output, _ = process.communicate(timeout=REPLAY_WITHIN_S)
    assert process.returncode == 0, output + log_path.read_text()
    result = json.loads(output)
    assert result["auctions"] == AUCTIONS
    wrong = ("lost", "doubled", "disordered", "feed_gaps", "feed_duplicates")
    assert {name: result[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert result["feed_snapshots"] == 0
    assert result["acknowledged"] >= result["bids"] - result["rejected"] - result["not_raised"]
    assert result["exact"] == AUCTIONS - result["replayed_with_reserve"]
    assert result["exact_with_reserve"] == AUCTIONS
    _assert_healthy(mesh)


def _assert_healthy(mesh: RunningMesh) -> None:
    examined = subprocess.run(
        blytz(mesh, "doctor"),
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": python_path()},
        timeout=60,
    )
    assert json.loads(examined.stdout) == {"violations": []}, examined.stderr
    assert examined.returncode == 0


def test_the_doctor_tells_when_a_mesh_is_wrong(mesh: RunningMesh) -> None:
    """The negative control: a bid that vanishes behind the service's back is seen."""
    url = mesh.state["postgres"]["auction"]
    with psycopg.connect(url) as shard:
        row = shard.execute(
            "delete from bids where (auction_id, sequence) ="
            " (select auction_id, max(sequence) from bids group by auction_id limit 1) returning *"
        ).fetchone()
    if row is None:
        pytest.fail("the replay before this test leaves bids")
    try:
        examined = subprocess.run(
            blytz(mesh, "doctor"),
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": python_path()},
            timeout=60,
        )
    finally:
        with psycopg.connect(url) as shard:
            values = sql.SQL(", ").join(sql.Placeholder() * len(row))
            shard.execute(sql.SQL("insert into bids values ({})").format(values), row)
    assert examined.returncode == 1
    found = {violation["invariant"] for violation in json.loads(examined.stdout)["violations"]}
    assert "books_end_with_their_last_record" in found
    _assert_healthy(mesh)


async def test_a_bid_on_a_shard_that_is_away_says_so(mesh: RunningMesh) -> None:
    cast = await asyncio.to_thread(cast_on, mesh)
    scene = Scene(mesh, cast, NativeGrpc(mesh.edge_url))
    auction_id = await scene.live()
    async with asyncio.timeout(REASON_WITHIN_S):
        # It comes back by itself, sometimes before a bid has noticed.
        while (answer := await scene.bid(auction_id, cast.ann)).reason != "SHARD_UNAVAILABLE":
            assert answer.status is not grpc.StatusCode.INTERNAL
            with suppress(ProcessLookupError):
                mesh.kill("postgres")
    async with asyncio.timeout(REASON_WITHIN_S):
        while (answer := await scene.bid(auction_id, cast.ben, usd(30_00))).message is None:
            assert answer.reason == "SHARD_UNAVAILABLE"
            await asyncio.sleep(0.1)
    await asyncio.to_thread(mesh.await_ready)
