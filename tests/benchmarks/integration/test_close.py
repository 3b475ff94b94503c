import json
import subprocess
import sys

from fakes.source_tree import ROOT
from stack.layout import python_path

PERCENTILES = {"p50", "p95", "p99", "max"}


def test_auctions_end_and_start_exactly_once_and_memory_is_told() -> None:
    options = "--json --auctions 40 --seconds 1 --open 400"
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.close", *options.split()],
        cwd=ROOT,
        env={"PYTHONPATH": python_path(), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    figures = json.loads(finished.stdout)
    for name in ("close", "close_published", "start", "start_published", "baseline"):
        lateness_ms = figures[f"{name}_ms"]
        assert set(lateness_ms) == PERCENTILES
        assert 0 <= lateness_ms["p50"] <= lateness_ms["p99"] <= lateness_ms["max"]
    for name in ("close", "start", "baseline"):
        assert figures[f"{name}_not_once"] == 0
    assert figures["memory"]["open_auctions"] == 400
    assert figures["memory"]["replica_mb"] > 0
    assert figures["memory"]["first_look_ms"] > 0
