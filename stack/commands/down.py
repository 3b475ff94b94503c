"""`blytz down`: stop the mesh of a data folder; its data stays."""

import argparse
import asyncio
import os
import signal
import time
from contextlib import suppress

from rich.console import Console

from stack.commands.arguments import add_shared_arguments, layout_of, print_json
from stack.failure import CommandFailed
from stack.process import wait_for_exit
from stack.state import running_pid

_GIVE_UP_AFTER_S = 60.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("down", help="stop the mesh", description=__doc__)
    add_shared_arguments(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Ask the supervisor to stop everything and wait until it has."""
    layout = layout_of(arguments)
    pid = running_pid(layout)
    began_s = time.monotonic()
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(_GIVE_UP_AFTER_S):
                await wait_for_exit(pid)
        except TimeoutError as error:
            raise CommandFailed(f"The stack (process {pid}) does not stop.") from error
    if arguments.json:
        print_json({"stopped": pid is not None, "seconds": round(time.monotonic() - began_s, 3)})
    else:
        said = "Stopped." if pid is not None else f"No stack runs in {layout.root}."
        Console().print(said, highlight=False)
    return 0
