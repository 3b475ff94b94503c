import json
import subprocess
import sys

from fakes.source_tree import ROOT
from stack.layout import python_path


def test_every_rung_runs_and_its_deliveries_are_verified(kafka_bootstrap: str) -> None:
    options = (
        "--json --repeats 1 --viewers 30 --connections 2 --probes 4 --rates 20 200 --seconds 0.5"
        f" --warm-up-seconds 0.2 --kafka {kafka_bootstrap}"
    )
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.feed", *options.split()],
        cwd=ROOT,
        env={"PYTHONPATH": python_path(), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    rungs = json.loads(finished.stdout)["rungs"]
    assert [rung["name"] for rung in rungs] == [
        "plain, saturated",
        "hub, 20 bids/s",
        "hub, 200 bids/s",
        "hub, 200 bids/s through Kafka",
    ]
    for rung in rungs:
        assert set(rung) == {"name", "viewers", "deliveries_per_cpu_s", "p95_ms", "kb_per_viewer"}
        assert rung["viewers"] == 30
        assert rung["deliveries_per_cpu_s"] > 0
        assert rung["p95_ms"] > 0
