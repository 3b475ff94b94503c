"""`blytz bid`: place one maximum bid on an auction."""

import argparse
import uuid
from typing import Any

from rich.console import Console

from blytz.auction.v1.auction_service_pb2 import PlaceBidResponse
from blytz_client import Blytz, BlytzCallError, Session
from stack.accounts import Accounts, deposit
from stack.amounts import format_amount, parse_amount
from stack.commands.arguments import layout_of, print_json
from stack.commands.edge import add_edge_arguments, edge_url_of, plain_failures
from stack.failure import CommandFailed
from stack.patience import persist

_NAME_DEFAULT = "You"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser("bid", help="place a bid", description=__doc__)
    add_edge_arguments(parser)
    parser.add_argument("auction_id", help="the auction's id")
    parser.add_argument("amount", help="the most that you would pay, for example 12.50")
    parser.add_argument("--email", default="", help="your account")
    parser.add_argument("--password", default="", help="its password")
    parser.add_argument(
        "--as",
        dest="name",
        default=_NAME_DEFAULT,
        help="without --email: an account of development by this name, signed up if need be",
    )
    parser.add_argument("--deposit", default="", help="first pay so much in, with the test card")
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Place the bid; the exit code is 1 when it is refused."""
    if bool(arguments.email) != bool(arguments.password):
        raise CommandFailed("--email and --password go together.")
    async with Blytz(edge_url_of(arguments)) as blytz:
        with plain_failures():
            person = await _sign_in(blytz, arguments)
            found = await person.get_auction(arguments.auction_id)
            currency_code = found.auction.price.currency_code
            maximum_minor = parse_amount(arguments.amount, currency_code)
            if arguments.deposit:
                deposit_minor = parse_amount(arguments.deposit, currency_code)
                await deposit(person, amount_minor=deposit_minor, currency_code=currency_code)
        request_id = str(uuid.uuid4())
        try:
            response = await persist(
                lambda: person.place_bid(
                    arguments.auction_id,
                    maximum_minor=maximum_minor,
                    currency_code=currency_code,
                    request_id=request_id,
                )
            )
        except BlytzCallError as refusal:
            _show_refusal(refusal, as_json=arguments.json)
            return 1
    _show(response, request_id, as_json=arguments.json)
    return 0


async def _sign_in(blytz: Blytz, arguments: argparse.Namespace) -> Session:
    if arguments.email:
        return await blytz.login(email=arguments.email, password=arguments.password)
    accounts = Accounts.of(layout_of(arguments))
    return await accounts.sign_in(blytz, f"bid/{arguments.name}", display_name=arguments.name)


def _show(response: PlaceBidResponse, request_id: str, *, as_json: bool) -> None:
    price, minimum = response.price, response.minimum_next_bid
    if as_json:
        answer: dict[str, Any] = {
            "accepted": True,
            "request_id": request_id,
            "bid_id": response.bid.bid_id,
            "sequence": response.position.sequence,
            "leading": response.leading,
            "bidder_alias": response.bid.bidder_alias,
            "currency_code": price.currency_code,
            "price_minor": price.amount_minor,
            "minimum_next_bid_minor": minimum.amount_minor,
            "ends_at": response.ends_at.ToJsonString(),
        }
        print_json(answer)
        return
    said = "[green]You lead[/green]" if response.leading else "[yellow]You are outbid[/yellow]"
    Console().print(
        f"{said} as {response.bid.bidder_alias}. "
        f"The price is {format_amount(price.amount_minor, price.currency_code)}, "
        f"the next bid at least {format_amount(minimum.amount_minor, minimum.currency_code)}.",
        highlight=False,
    )


def _show_refusal(refusal: BlytzCallError, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "accepted": False,
                "status": refusal.status.name,
                "reason": refusal.reason,
                "message": refusal.message,
                "metadata": dict(refusal.metadata),
            }
        )
    else:
        Console().print(f"[red]Refused:[/red] {refusal.message}", highlight=False)
