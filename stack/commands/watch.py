"""`blytz watch`: follow an auction live in the terminal."""

import argparse
import asyncio
import sys

from google.protobuf.json_format import MessageToJson
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from blytz.auction.v1.auction_pb2 import AuctionOutcome, AuctionState, Bid, ReserveStatus
from blytz_client import AuctionFeed, Blytz
from stack.amounts import format_amount
from stack.auction_view import AuctionView
from stack.commands.edge import add_edge_arguments, edge_url_of, plain_failures

_REFRESHES_PER_S = 4
_HURRY_S = 10.0
_OUTCOMES = {
    AuctionOutcome.AUCTION_OUTCOME_SOLD: "sold",
    AuctionOutcome.AUCTION_OUTCOME_RESERVE_NOT_MET: "not sold: the reserve was not met",
    AuctionOutcome.AUCTION_OUTCOME_NO_BIDS: "not sold: nobody bid",
    AuctionOutcome.AUCTION_OUTCOME_CANCELLED: "called off",
    AuctionOutcome.AUCTION_OUTCOME_BOUGHT_NOW: "bought at once",
}
_RESERVES = {
    ReserveStatus.RESERVE_STATUS_NOT_MET: "reserve not met",
    ReserveStatus.RESERVE_STATUS_MET: "reserve met",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "watch",
        help="follow an auction live",
        description=__doc__,
        epilog="With --json each frame of the feed is one line, in the contract's JSON form.",
    )
    add_edge_arguments(parser)
    parser.add_argument("auction_id", help="the auction's id")
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Follow the auction to its end; reconnects by itself."""
    with plain_failures():
        async with (
            Blytz(edge_url_of(arguments)) as blytz,
            blytz.watch_auction(arguments.auction_id) as feed,
        ):
            if arguments.json:
                await _print_frames(feed)
            else:
                await _show(feed)
    return 0


async def _print_frames(feed: AuctionFeed) -> None:
    view = AuctionView()
    async for frame in feed:
        sys.stdout.write(MessageToJson(frame, indent=None) + "\n")
        sys.stdout.flush()
        view.apply(frame)
        if view.over:
            return


async def _show(feed: AuctionFeed) -> None:
    view = AuctionView()
    console = Console()
    with Live(console=console, auto_refresh=False) as live:

        async def tick() -> None:
            while True:
                live.update(_picture(view, connected=feed.connected), refresh=True)
                await asyncio.sleep(1 / _REFRESHES_PER_S)

        ticking = asyncio.create_task(tick())
        try:
            async for frame in feed:
                view.apply(frame)
                if view.over:
                    break
        finally:
            ticking.cancel()
            live.update(_picture(view, connected=True), refresh=True)


def _picture(view: AuctionView, *, connected: bool) -> Panel:
    auction = view.auction
    if not auction.auction_id:
        return Panel("Connecting …", expand=False)
    hidden = view.sealed and not view.over
    price = "sealed" if hidden else format_amount(view.price_minor, auction.price.currency_code)
    facts = Text.assemble(
        (price, "bold green" if view.live else "bold"),
        "   ",
        _clock(view),
        f"   {auction.bid_count} bids",
        f"   {_RESERVES.get(auction.reserve_status, '')}",
        no_wrap=True,
    )
    bids = Table(show_edge=False, box=None, header_style="dim")
    bids.add_column("time")
    bids.add_column("bidder")
    bids.add_column("price", justify="right")
    bids.add_column("leader")
    for bid in view.recent_bids:
        bids.add_row(
            f"{bid.placed_at.ToDatetime():%H:%M:%S}",
            bid.bidder_alias,
            "taken back" if bid.retracted else _bid_price(view, bid),
            bid.leader_alias,
        )
    title = Text(auction.title, style="bold")
    subtitle = None if connected else "[red]reconnecting …[/red]"
    return Panel(Group(facts, "", bids), title=title, subtitle=subtitle, expand=False)


def _bid_price(view: AuctionView, bid: Bid) -> str:
    return (
        "sealed" if view.sealed else format_amount(bid.price.amount_minor, bid.price.currency_code)
    )


def _clock(view: AuctionView) -> Text:
    if view.over:
        return Text(_OUTCOMES.get(view.auction.outcome, "over"), style="bold")
    if view.auction.state == AuctionState.AUCTION_STATE_PAUSED:
        return Text("paused", style="bold yellow")
    if not view.live:
        return Text("not started")
    minutes, seconds = divmod(view.left_s, 60)
    style = "bold red" if view.left_s < _HURRY_S else ""
    return Text(f"{int(minutes)}:{seconds:04.1f} left", style=style)
