"""`blytz replay`: play recorded auctions through the gateway and compare the final prices."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from blytz_client import Blytz
from stack.accounts import Accounts
from stack.commands.arguments import layout_of, print_json
from stack.commands.edge import add_edge_arguments, edge_url_of, plain_failures
from stack.failure import CommandFailed
from stack.replay.recording import SAMPLE_PATH, read_recording
from stack.replay.replay import Replay, ReplayOptions, ReplayResult
from stack.replay.report import as_json, show

_AT_ONCE_DEFAULT = 96
_CONNECTIONS = 2


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("replay", help="play recorded auctions", description=__doc__)
    add_edge_arguments(parser)
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=SAMPLE_PATH,
        help="recorded auctions, CSV (default: 314 eBay auctions)",
    )
    parser.add_argument(
        "--speed",
        type=float,
        help="how many times faster than it was (default: as fast as the answers come)",
    )
    parser.add_argument(
        "--reserves",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="play those auctions again that a hidden reserve would explain",
    )
    parser.add_argument(
        "--watch", action="store_true", help="watch every auction's feed and count gaps"
    )
    parser.add_argument("--limit", type=int, help="play only the first so many auctions")
    parser.add_argument(
        "--at-once",
        type=int,
        default=_AT_ONCE_DEFAULT,
        help=f"how many auctions run at once ({_AT_ONCE_DEFAULT})",
    )
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Play the file; the exit code is 1 when the mesh lost, doubled or skipped something."""
    if arguments.at_once < 1 or (arguments.speed is not None and arguments.speed <= 0):
        raise CommandFailed("--at-once and --speed must be above zero.")
    result = await _replay(arguments)
    if arguments.json:
        print_json(as_json(result, watched=arguments.watch))
    else:
        show(result, Console(), watched=arguments.watch)
    return 0 if result.findings.sound else 1


async def _replay(arguments: argparse.Namespace) -> ReplayResult:
    auctions = read_recording(arguments.file)[: arguments.limit]
    if not auctions:
        raise CommandFailed("--limit leaves no auctions.")
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(quiet=arguments.json),
        transient=True,
    )
    options = ReplayOptions(
        at_once=arguments.at_once,
        speed=arguments.speed,
        reserves=arguments.reserves,
        watched=arguments.watch,
    )
    with progress, plain_failures():
        bar = progress.add_task("Auctions", total=len(auctions))
        async with Blytz(edge_url_of(arguments), connections=_CONNECTIONS) as blytz:
            replay = Replay(
                blytz=blytz,
                accounts=Accounts.of(layout_of(arguments)),
                options=options,
                advance=lambda _: progress.advance(bar),
            )
            return await replay.run(auctions)
