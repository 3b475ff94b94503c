"""`blytz demo`: sellers, auctions and bots that bid, until Ctrl-C."""

import argparse
import asyncio
import time
from contextlib import suppress
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from blytz_client import Blytz
from stack.accounts import Accounts
from stack.amounts import format_amount
from stack.auction_view import AuctionView
from stack.commands.arguments import layout_of, print_json
from stack.commands.edge import add_edge_arguments, edge_url_of, plain_failures
from stack.demo.marketplace import DemoOptions, Marketplace
from stack.failure import CommandFailed

_AUCTIONS_DEFAULT = 6
_BOTS_DEFAULT = 14
_LASTS_S_DEFAULT = 75.0
_LASTS_SPREAD = 0.4
_LASTS_S_MIN = 10.0
_REFRESH_S = 0.5
_CONNECTIONS = 2


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("demo", help="fill the mesh with life", description=__doc__)
    add_edge_arguments(parser)
    parser.add_argument("--seconds", type=float, help="end after so long (default: at Ctrl-C)")
    parser.add_argument(
        "--auctions",
        type=int,
        default=_AUCTIONS_DEFAULT,
        help=f"how many auctions run at once ({_AUCTIONS_DEFAULT})",
    )
    parser.add_argument(
        "--bots", type=int, default=_BOTS_DEFAULT, help=f"how many bots bid ({_BOTS_DEFAULT})"
    )
    parser.add_argument(
        "--auction-seconds",
        type=float,
        default=_LASTS_S_DEFAULT,
        help=f"how long an auction lasts, about ({_LASTS_S_DEFAULT:.0f}, at least 10)",
    )
    parser.add_argument("--no-show", action="store_true", help="hold no show")
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Run the marketplace; what happened is printed at the end, however it ends."""
    if arguments.auctions < 1 or arguments.bots < 0 or arguments.auction_seconds < _LASTS_S_MIN:
        raise CommandFailed("The demo needs an auction or more, and 10 seconds for each.")
    lasts_s = arguments.auction_seconds
    options = DemoOptions(
        auctions=arguments.auctions,
        bots=arguments.bots,
        lasts_s=(max(_LASTS_S_MIN, lasts_s * (1 - _LASTS_SPREAD)), lasts_s * (1 + _LASTS_SPREAD)),
        show=not arguments.no_show,
    )
    edge_url = edge_url_of(arguments)
    began_s = time.monotonic()
    async with Blytz(edge_url, connections=_CONNECTIONS) as blytz:
        accounts = Accounts.of(layout_of(arguments))
        marketplace = Marketplace(blytz=blytz, accounts=accounts, options=options)
        # Ctrl-C cancels us: that is how a demonstration usually ends.
        with plain_failures(), suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(arguments.seconds):
                await marketplace.open()
                await _run_shown(marketplace, edge_url, quiet=arguments.json)
    summary = {**marketplace.tally.as_json(), "seconds": round(time.monotonic() - began_s, 3)}
    _tell(summary, as_json=arguments.json)
    return 0


async def _run_shown(marketplace: Marketplace, edge_url: str, *, quiet: bool) -> None:
    if quiet:
        await marketplace.run()
        return
    with Live(console=Console(), auto_refresh=False) as live:

        async def show() -> None:
            while True:
                live.update(_picture(marketplace, edge_url), refresh=True)
                await asyncio.sleep(_REFRESH_S)

        async with asyncio.TaskGroup() as group:
            group.create_task(show())
            group.create_task(marketplace.run())


def _picture(marketplace: Marketplace, edge_url: str) -> Group:
    table = Table(show_edge=False)
    table.add_column("lot")
    for heading in ("price", "bids", "left"):
        table.add_column(heading, justify="right")
    table.add_column("leader")
    for room in marketplace.rooms:
        auction = room.view.auction
        if room.lot is None or not auction.auction_id:
            continue
        address = f"{edge_url}/auctions/{auction.auction_id}"
        table.add_row(
            Text(auction.title, style=f"link {address}"),
            _price(room.view),
            str(auction.bid_count),
            f"{room.view.left_s:.0f} s" if room.open else "over",
            auction.leader_alias,
        )
    tally = marketplace.tally
    line = f"{tally.bids} bids · {tally.auctions_ended} auctions ended · {edge_url} · Ctrl-C ends"
    return Group(table, Text(line, style="dim"))


def _price(view: AuctionView) -> str:
    if view.sealed and not view.over:
        return "sealed"
    return format_amount(view.price_minor, view.auction.price.currency_code)


def _tell(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    Console().print(
        f"{summary['auctions_started']} auctions, {summary['auctions_sold']} sold, "
        f"{summary['bids']} bids in {summary['seconds']:.0f} s.",
        highlight=False,
    )
