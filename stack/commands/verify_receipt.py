"""`blytz verify-receipt`: check a receipt of a bid, its signature and the hash of its record."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from blytz_client.receipts import Receipt, ReceiptInvalid, check_receipt, read_keys
from stack.amounts import format_amount
from stack.commands.arguments import print_json
from stack.commands.edge import add_edge_arguments, edge_url_of
from stack.failure import CommandFailed

KEYS_PATH = "/.well-known/receipt-keys.json"
_TIMEOUT_S = 5.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "verify-receipt", help="check a receipt of a bid", description=__doc__
    )
    add_edge_arguments(parser)
    parser.add_argument("receipt", help="the receipt itself, or a file with it")
    parser.add_argument(
        "--keys",
        type=Path,
        help=f"a file with the body of {KEYS_PATH}, to check offline (default: ask the gateway)",
    )
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace) -> int:
    """Say what was bid and when; the exit code is 1 if the receipt proves nothing."""
    text = await asyncio.to_thread(_receipt_text, arguments.receipt)
    if arguments.keys is not None:
        document = await asyncio.to_thread(_content, arguments.keys)
    else:
        document = await _published_keys(edge_url_of(arguments))
    try:
        receipt = check_receipt(text, read_keys(document))
    except ReceiptInvalid as problem:
        if arguments.json:
            print_json({"valid": False, "problem": str(problem)})
        else:
            Console().print(f"[red]Not valid.[/red] {problem}", highlight=False)
        return 1
    if arguments.json:
        print_json(_facts(receipt))
    else:
        _show(receipt)
    return 0


def _receipt_text(named: str) -> str:
    """Return the receipt that was given, in a file or not, alone or as the API answered it."""
    try:
        is_file = Path(named).is_file()
    except (OSError, ValueError):
        # Too long for the name of a file: it is the receipt itself.
        is_file = False
    text = _content(Path(named)).decode("utf-8", "replace").strip() if is_file else named.strip()
    if not text.startswith("{"):
        return text
    try:
        return str(json.loads(text)["receipt"])
    except (ValueError, KeyError, RecursionError) as error:
        raise CommandFailed("The file holds no receipt.") from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from error


async def _published_keys(edge_url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(edge_url.rstrip("/") + KEYS_PATH, raise_for_status=True) as response,
        ):
            return await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CommandFailed(
            f"{edge_url} does not say its keys: name a file with --keys."
        ) from error


def _facts(receipt: Receipt) -> dict[str, Any]:
    return {
        "valid": True,
        "whole": receipt.whole,
        "auction_id": receipt.auction_id,
        "bid_id": receipt.bid_id,
        "bidder_id": receipt.bidder_id,
        "sequence": receipt.sequence,
        "currency_code": receipt.currency_code,
        "maximum_minor": receipt.maximum_minor,
        "price_minor": receipt.price_minor,
        "placed_at": receipt.placed_at.isoformat(),
        "record_hash": receipt.record_hash.hex(),
        "issued_at": receipt.issued_at.isoformat(),
        "key_id": receipt.key_id,
    }


def _show(receipt: Receipt) -> None:
    maximum = format_amount(receipt.maximum_minor, receipt.currency_code)
    lines = [
        f"[green]Valid.[/green] Up to {maximum} were bid on the auction {receipt.auction_id}",
        f"by {receipt.bidder_id} on {receipt.placed_at:%Y-%m-%d at %H:%M:%S.%f} UTC.",
        f"It is event {receipt.sequence} of the auction; its hash is {receipt.record_hash.hex()}.",
    ]
    if receipt.price_minor is None:
        lines.append("The auction was sealed: its hash can be recomputed with a later receipt.")
    else:
        price = format_amount(receipt.price_minor, receipt.currency_code)
        lines.append(f"The price was {price} after it, and the hash follows from all this.")
    console = Console()
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
