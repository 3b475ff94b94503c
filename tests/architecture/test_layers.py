"""The layers of .importlinter, checked on each test run."""

import subprocess
import sys
from pathlib import Path

from fakes.source_tree import ROOT


def test_the_layers_are_kept() -> None:
    finished = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
