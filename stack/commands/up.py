"""`blytz up`: start the mesh and look after it, here or in the background."""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from stack.commands.arguments import add_shared_arguments, layout_of, print_json
from stack.failure import CommandFailed
from stack.foreground import run_stack
from stack.layout import Layout, python_path
from stack.options import EDGE_PORT_DEFAULT, Options
from stack.ports import LOOPBACK
from stack.progress import Progress
from stack.state import AlreadyRunning, read_state, running_pid

_POLL_S = 0.05


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("up", help="start the mesh", description=__doc__)
    add_shared_arguments(parser)
    parser.add_argument("--detach", action="store_true", help="return when the mesh is ready")
    parser.add_argument(
        "--port",
        type=int,
        default=EDGE_PORT_DEFAULT,
        help=f"the edge's port (default: {EDGE_PORT_DEFAULT}; 0: a free one)",
    )
    parser.add_argument("--host", default=LOOPBACK, help=f"the edge's address ({LOOPBACK})")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes of svc_auction and of svc_realtime"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but a failure")
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Start the mesh; in the foreground until Ctrl-C, detached until it is ready."""
    if arguments.workers < 1:
        raise CommandFailed("A service needs at least one worker.")
    if arguments.detach:
        return await _run_detached(arguments)
    return await _run_here(arguments)


async def _run_here(arguments: argparse.Namespace) -> int:
    layout = layout_of(arguments)
    options = Options.from_environment(
        os.environ,
        data_dir=layout.root,
        edge_host=arguments.host,
        edge_port=arguments.port,
        workers=arguments.workers,
    )
    began_s = time.monotonic()
    announced = False
    with Progress(_console(arguments)) as progress:

        def show(state: dict[str, Any]) -> None:
            nonlocal announced
            progress.update(state)
            if state["ready"] and not announced:
                announced = True
                took_s = time.monotonic() - began_s
                progress.banner(state, took_s=took_s, stop_with="Ctrl-C")
                if arguments.json:
                    print_json(state)

        await run_stack(options, on_state=show)
    return 0


async def _run_detached(arguments: argparse.Namespace) -> int:
    layout = layout_of(arguments)
    layout.create()
    if running_pid(layout) is not None:
        raise CommandFailed(str(AlreadyRunning(layout.root)))
    began_s = time.monotonic()
    log_path = layout.logs / "stack.log"
    log_path.write_text("")
    child = _start_in_background(arguments, layout, log_path)
    with Progress(_console(arguments)) as progress:
        state = await _await_ready(child, layout, log_path, progress)
        took_s = time.monotonic() - began_s
        progress.banner(state, took_s=took_s, stop_with="blytz down")
    if arguments.json:
        print_json(state)
    return 0


def _start_in_background(
    arguments: argparse.Namespace, layout: Layout, log_path: Path
) -> subprocess.Popen[bytes]:
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "stack", "up", "--quiet"),
                *("--data-dir", str(layout.root), "--port", str(arguments.port)),
                *("--host", arguments.host, "--workers", str(arguments.workers)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": python_path()},
            start_new_session=True,
        )


async def _await_ready(
    child: subprocess.Popen[bytes], layout: Layout, log_path: Path, progress: Progress
) -> dict[str, Any]:
    """Follow the state of the stack in the background until it is ready."""
    while child.poll() is None:
        state = read_state(layout)
        progress.update(state)
        if state["ready"]:
            return state
        await asyncio.sleep(_POLL_S)
    raise CommandFailed(_reason(log_path))


def _reason(log_path: Path) -> str:
    """Return what the stack in the background said last."""
    lines = log_path.read_text().strip().splitlines()
    return lines[-1].removeprefix("blytz: ") if lines else f"The stack ended; see {log_path}."


def _console(arguments: argparse.Namespace) -> Console:
    """Return where progress goes: to nobody when the answer is one JSON object."""
    return Console(quiet=arguments.json or arguments.quiet)
