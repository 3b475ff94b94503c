"""The command line: `blytz COMMAND`, or `python -m stack COMMAND`."""

import argparse
import asyncio
import importlib
import os
import sys

from stack.commands.arguments import print_json
from stack.failure import CommandFailed

# Each is one module in stack/commands; the order is that of the help.
COMMANDS = ("up", "down", "status", "demo", "bid", "watch", "replay", "doctor", "verify_receipt")
_INTERRUPTED_STATUS = 130


def parser() -> argparse.ArgumentParser:
    """Return the parser with every command."""
    root = argparse.ArgumentParser(prog="blytz", description="The Blytz mesh on one machine.")
    subparsers = root.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"stack.commands.{name}").add_parser(subparsers)
    return root


def main(argv: list[str] | None = None) -> int:
    """Run one command; a failure is one line (or one JSON object) and exit code 1."""
    arguments = parser().parse_args(argv)
    try:
        code: int = asyncio.run(arguments.run(arguments))
    except CommandFailed as failure:
        if arguments.json:
            print_json({"error": str(failure)})
        else:
            print(f"blytz: {failure}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read what we print has read enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED_STATUS
    return code


if __name__ == "__main__":
    sys.exit(main())
