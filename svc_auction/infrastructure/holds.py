"""What auctions hold of bidders' power, and what leaves it for good when they are sold.

Everything here runs within the transaction that changes the auctions: the spending rows are locked
in id order, what is no longer held is released, and the hammer prices are taken out and noted for
the wallet to pay.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from kernel.ids import new_id
from servicekit.postgres import Connection
from servicekit.queries import load
from svc_auction.application.decide_bids import PowerKey
from svc_auction.domain.book import Book
from svc_auction.domain.closing import SALES
from svc_auction.domain.terms import Funding, Terms

Sale = tuple[Book, Terms]

_queries = load("svc_auction.infrastructure", "holds.sql")


async def change_holds(connection: Connection, released: Iterable[tuple[PowerKey, int]]) -> None:
    """Release amounts in minor units; a negative one is held anew, out of what is free."""
    total_minor: Counter[PowerKey] = Counter()
    for key, amount_minor in released:
        total_minor[key] += amount_minor
    changed = sorted((key, minor) for key, minor in total_minor.items() if minor)
    if not changed:
        return
    await connection.execute(
        _queries["lock_power_of"], (sorted({bidder_id for (bidder_id, _), _ in changed}),)
    )
    await connection.execute(
        _queries["release_holds"],
        (
            [bidder_id for (bidder_id, _), _ in changed],
            [currency_code for (_, currency_code), _ in changed],
            [minor for _, minor in changed],
        ),
    )


async def release_sealed(
    connection: Connection, auction_ids: Sequence[str]
) -> list[tuple[PowerKey, int]]:
    """Return what is held for sealed auctions that are over, and note that it no longer is."""
    found = await connection.execute(_queries["select_sealed_holds"], (list(auction_ids),))
    held = [((row[1], row[2]), row[3]) for row in await found.fetchall()]
    await connection.execute(_queries["clear_sealed_holds"], (list(auction_ids),))
    return held


def is_paid_from_power(book: Book, terms: Terms) -> bool:
    """Say whether an auction was sold to somebody whose power was held for it."""
    return book.outcome in SALES and terms.funding is Funding.WALLET_HOLD


async def settle(connection: Connection, sales: Sequence[Sale]) -> None:
    """Take the prices out of the winners' power and note what the wallet must pay to the sellers.

    The winners' spending rows are locked, and what was held there for these sales is released.
    """
    spent = [
        [book.leader_id for book, _ in sales],
        [terms.currency_code for _, terms in sales],
        [book.price_minor for book, _ in sales],
    ]
    await connection.execute(_queries["spend_power"], spent)
    await connection.execute(
        _queries["insert_settlements"],
        [
            [new_id() for _ in sales],
            *spent,
            [book.auction_id for book, _ in sales],
            [terms.seller_id for _, terms in sales],
        ],
    )
