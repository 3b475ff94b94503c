"""`blytz bid`: place one maximum bid on an auction."""

import argparse
import sys
import uuid
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.prompt import Confirm

from blytz.auction.v1.auction_service_pb2 import PlaceBidResponse
from blytz_client import Blytz, BlytzCallError, Session
from stack.accounts import Accounts, deposit
from stack.amounts import format_amount, parse_amount
from stack.commands.arguments import layout_of, print_json
from stack.commands.edge import add_edge_arguments, edge_url_of, plain_failures
from stack.failure import CommandFailed
from stack.patience import persist

_NAME_DEFAULT = "You"


@dataclass(frozen=True, slots=True)
class Wish:
    """The bid that is to be placed, with the key that lets it count once."""

    auction_id: str
    maximum_minor: int
    currency_code: str
    request_id: str


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
    parser.add_argument("--yes", action="store_true", help="do not ask back about a large bid")
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
        wish = Wish(arguments.auction_id, maximum_minor, currency_code, str(uuid.uuid4()))
        try:
            response = await _place(person, wish, arguments)
        except BlytzCallError as refusal:
            _show_refusal(refusal, as_json=arguments.json)
            return 1
    _show(response, wish.request_id, as_json=arguments.json)
    return 0


async def _place(person: Session, wish: Wish, arguments: argparse.Namespace) -> PlaceBidResponse:
    """Place the bid, after a question if it is a very large one; raises the refusal."""
    try:
        return await persist(lambda: _send(person, wish))
    except BlytzCallError as refusal:
        token = refusal.metadata.get("confirmation_token", "")
        if refusal.reason != "CONFIRM_LARGE_BID" or not token:
            raise
        if not (arguments.yes or _asked(wish, refusal, arguments)):
            raise
        return await persist(lambda: _send(person, wish, confirmation_token=token))


async def _send(person: Session, wish: Wish, *, confirmation_token: str = "") -> PlaceBidResponse:
    return await person.place_bid(
        wish.auction_id,
        maximum_minor=wish.maximum_minor,
        currency_code=wish.currency_code,
        request_id=wish.request_id,
        confirmation_token=confirmation_token,
    )


def _asked(wish: Wish, refusal: BlytzCallError, arguments: argparse.Namespace) -> bool:
    """Ask whether the bid is meant; without a person at the terminal it is not."""
    if arguments.json or not sys.stdin.isatty():
        return False
    price_minor = int(refusal.metadata.get("price_minor", "0"))
    price = format_amount(price_minor, wish.currency_code)
    maximum = format_amount(wish.maximum_minor, wish.currency_code)
    return Confirm.ask(f"That is far above the price of {price}. Bid {maximum}?", default=False)


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
            "won": response.won,
            "bidder_alias": response.bid.bidder_alias,
            "currency_code": price.currency_code,
            "price_minor": price.amount_minor,
            "minimum_next_bid_minor": minimum.amount_minor,
            "ends_at": response.ends_at.ToJsonString(),
        }
        print_json(answer)
        return
    if response.won:
        paid = format_amount(price.amount_minor, price.currency_code)
        Console().print(
            f"[green]It is yours[/green] for {paid}, {response.bid.bidder_alias}.", highlight=False
        )
        return
    if not response.bid.leader_alias:
        Console().print(f"Your bid is in, sealed, as {response.bid.bidder_alias}.", highlight=False)
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
