"""The options that every command takes, and how a command answers."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from stack.layout import Layout
from stack.options import data_dir_of


def add_shared_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--data-dir` and `--json`."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        help="where the stack keeps its data (default: BLYTZ_DATA_DIR, else .blytz here)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def layout_of(arguments: argparse.Namespace) -> Layout:
    """Return the data folder that the command is about."""
    return Layout.at(data_dir_of(arguments.data_dir))


def print_json(answer: dict[str, Any]) -> None:
    """Print a command's one JSON object."""
    json.dump(answer, sys.stdout, indent=2)
    sys.stdout.write("\n")
    sys.stdout.flush()
