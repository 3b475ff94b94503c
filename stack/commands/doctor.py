"""`blytz doctor`: check the invariants of money and bids on the databases of all services."""

import argparse

from rich.console import Console
from rich.table import Table

from stack.commands.arguments import add_shared_arguments, layout_of, print_json
from stack.doctor.examination import Diagnosis, Patient, examine
from stack.failure import CommandFailed
from stack.state import read_state

_SHARDS_MAX = 256


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("doctor", help="check the invariants", description=__doc__)
    add_shared_arguments(parser)
    parser.add_argument(
        "--identity-url", default="", help="svc_identity's database (default: the stack's)"
    )
    parser.add_argument(
        "--payment-url", default="", help="svc_payment's database (default: the stack's)"
    )
    parser.add_argument(
        "--shard-url",
        action="append",
        default=[],
        metavar="NUMBER=URL",
        help="an auction shard's database, once for each shard (default: the stack's)",
    )
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Look at everything; the exit code is 1 when something does not hold."""
    diagnosis = await examine(_patient(arguments))
    if arguments.json:
        found = [
            {"invariant": each.invariant, "where": each.where, "what": each.what}
            for each in diagnosis.violations
        ]
        print_json({"violations": found})
    else:
        _show(diagnosis, Console())
    return 1 if diagnosis.violations else 0


def _patient(arguments: argparse.Namespace) -> Patient:
    """Return what to look at: what was named, and for the rest the running stack."""
    urls = (arguments.identity_url, arguments.payment_url, arguments.shard_url)
    if all(urls):
        return Patient(
            identity_url=arguments.identity_url,
            payment_url=arguments.payment_url,
            shard_urls=_shard_urls(arguments.shard_url),
        )
    layout = layout_of(arguments)
    state = read_state(layout)
    if not state["parts"]:
        raise CommandFailed(f"No stack runs in {layout.root}: start one, or name its databases.")
    databases = state["postgres"]
    return Patient(
        identity_url=arguments.identity_url or databases["identity"],
        payment_url=arguments.payment_url or databases["payment"],
        shard_urls=_shard_urls(arguments.shard_url) or {0: databases["auction"]},
        stripe_api_base=state["stripe"]["api_base"],
        stripe_api_key=state["stripe"]["api_key"],
    )


def _shard_urls(entries: list[str]) -> dict[int, str]:
    urls = {}
    for entry in entries:
        number, separator, url = entry.partition("=")
        if not separator or not number.isdecimal() or int(number) >= _SHARDS_MAX:
            raise CommandFailed("--shard-url takes a number and a URL, as in 0=postgresql://…")
        urls[int(number)] = url
    return urls


def _show(diagnosis: Diagnosis, console: Console) -> None:
    broken = {each.invariant for each in diagnosis.violations}
    for name, description in diagnosis.checked.items():
        mark = "[red]✗[/red]" if name in broken else "[green]✓[/green]"
        console.print(f"{mark} {description}", highlight=False)
    for name in diagnosis.unchecked:
        console.print(f"[yellow]?[/yellow] {name}: the processor cannot be asked", highlight=False)
    if not diagnosis.violations:
        return
    table = Table(show_edge=False)
    for heading in ("invariant", "where", "what"):
        table.add_column(heading, overflow="fold")
    for each in diagnosis.violations:
        table.add_row(each.invariant, each.where, each.what)
    console.print(table)
