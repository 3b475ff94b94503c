"""`blytz status`: which parts run, where, and how much memory they take."""

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table

from stack.commands.arguments import add_shared_arguments, layout_of, print_json
from stack.memory import memory_bytes_of, memory_bytes_of_trees
from stack.state import read_state

_BYTES_PER_MB = 1_000_000
_PART_FACTS = ("ready", "state", "pid", "address", "restarts", "ready_after_s", "log")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("status", help="show the parts", description=__doc__)
    add_shared_arguments(parser)
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Print the state; the exit code is 0 when everything is ready, 1 when not."""
    layout = layout_of(arguments)
    answer = _describe(read_state(layout))
    if arguments.json:
        print_json(answer)
    elif not answer["parts"]:
        Console().print(f"No stack runs in {layout.root}.", highlight=False)
    else:
        Console().print(_table(answer))
    return 0 if answer["ready"] else 1


def _describe(state: dict[str, Any]) -> dict[str, Any]:
    """Return what may be shown anywhere: no passwords, which the state file does hold."""
    if not state["parts"]:
        return {"ready": False, "parts": {}}
    pids = [part["pid"] for part in state["parts"].values() if part["pid"] is not None]
    memory = memory_bytes_of_trees(pids)
    parts = {
        name: {
            **{fact: part[fact] for fact in _PART_FACTS},
            "memory_bytes": memory.get(part["pid"], 0),
        }
        for name, part in state["parts"].items()
    }
    return {
        "ready": state["ready"],
        "edge_url": state["edge_url"],
        "data_dir": state["data_dir"],
        "pid": state["pid"],
        "memory_bytes": sum(memory.values()) + memory_bytes_of(state["pid"]),
        "parts": parts,
    }


def _table(answer: dict[str, Any]) -> Table:
    table = Table(title=answer["edge_url"], show_footer=True)
    table.add_column("part")
    table.add_column("state")
    table.add_column("process", justify="right")
    table.add_column("address")
    table.add_column("restarts", justify="right", footer="all")
    megabytes = f"{answer['memory_bytes'] / _BYTES_PER_MB:.0f} MB"
    table.add_column("memory", justify="right", footer=megabytes)
    for name, part in answer["parts"].items():
        colour = "green" if part["ready"] else "red"
        table.add_row(
            name,
            f"[{colour}]{part['state']}[/{colour}]",
            "" if part["pid"] is None else str(part["pid"]),
            part["address"],
            str(part["restarts"]),
            f"{part['memory_bytes'] / _BYTES_PER_MB:.0f} MB",
        )
    return table
