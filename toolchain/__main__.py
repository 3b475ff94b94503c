"""`python -m toolchain gen` derives; `python -m toolchain check` fails on what is not derived."""

import argparse
import sys
from pathlib import Path

from toolchain import buf
from toolchain.generate import ContractError, Outcome, derive
from toolchain.image import CompileError

ROOT = Path(__file__).resolve().parent.parent
NO_NODE = "gen/ts was not compared: Node or protoc-gen-es is not installed (edge/web)"


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> int:
    """Run a sub-command and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m toolchain", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("gen", help="derive stubs, descriptors, gateway and API reference")
    commands.add_parser("check", help="fail if something is not as derived, or breaks a rule")
    command = parser.parse_args(arguments).command
    try:
        return _gen(root) if command == "gen" else _check(root)
    except (CompileError, ContractError) as error:
        print(error, file=sys.stderr)
        return 1


def _gen(root: Path) -> int:
    outcome = derive(root, write=True)
    for path in outcome.differing:
        print(f"wrote {path}" if (root / path).exists() else f"removed {path}")
    _print_summary(outcome)
    return 0


def _check(root: Path) -> int:
    outcome = derive(root, write=False)
    problems = [f"{path}: not as derived, run `make gen`" for path in outcome.differing]
    problems += buf.lint(root, outcome.image)
    broken = buf.breaking(root, outcome.image)
    if broken is None:
        print("buf breaking: main has no contracts to compare with yet")
    problems += broken or []
    for problem in problems:
        print(problem, file=sys.stderr)
    _print_summary(outcome)
    return 1 if problems else 0


def _print_summary(outcome: Outcome) -> None:
    if not outcome.typescript:
        print(NO_NODE)
    print(f"contracts: {len(outcome.image.own_files)} files, {len(outcome.differing)} differences")


if __name__ == "__main__":
    sys.exit(main())
