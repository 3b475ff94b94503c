"""What the commands that talk through the gateway share: its address, and plain failures."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from blytz_client import BlytzCallError
from stack.commands.arguments import add_shared_arguments, layout_of
from stack.failure import CommandFailed
from stack.state import read_state


def add_edge_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shared options and `--url`."""
    add_shared_arguments(parser)
    parser.add_argument(
        "--url", default="", help="the gateway's address (default: the stack of the data folder)"
    )


def edge_url_of(arguments: argparse.Namespace) -> str:
    """Return the gateway that the command talks to."""
    if arguments.url:
        return str(arguments.url)
    layout = layout_of(arguments)
    state = read_state(layout)
    if not state["parts"]:
        raise CommandFailed(
            f"No stack runs in {layout.root}: start one with `blytz up`, or name one with --url."
        )
    return str(state["edge_url"])


@contextmanager
def plain_failures() -> Iterator[None]:
    """Turn a call that failed for good into one line."""
    try:
        yield
    except* (BlytzCallError, CommandFailed) as errors:
        failure = CommandFailed(str(_first(errors)))
    else:
        return
    raise failure


def _first(group: BaseExceptionGroup[Exception]) -> BaseException:
    """Return one of the errors of a task group: they failed together, for one cause."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
