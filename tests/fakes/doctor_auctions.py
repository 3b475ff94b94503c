"""Auctions of the other kinds for the doctor's world, each played by the rules themselves."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import psycopg
from psycopg import sql

from fakes.auction_books import START, auction_of, terms_of
from fakes.bid_logs import PlayedAuction
from svc_auction.domain.book import State
from svc_auction.domain.events import BidPlaced, BidsRetracted
from svc_auction.domain.formats import DUTCH, SEALED_SECOND_PRICE
from svc_auction.domain.terms import (
    BuyNow,
    BuyNowAvailability,
    FallingPrice,
    Funding,
    Terms,
)
from svc_auction.infrastructure.rows import terms_parameters
from svc_auction.infrastructure.shard_change import BOOK_COLUMNS

Named = Callable[[str], str]
"""Gives a name of the world its id."""

_FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC)


def add_other_auctions(
    shard: psycopg.Connection[Any], named: Named
) -> Iterator[tuple[str, int, bool]]:
    """Add them; yield the name, the last sequence, and whether it has ended, of each.

    `sealed` runs, `dutch` and `bought` were won by one bid, in `retracted` one was taken back, and
    `lot` waits in the show `show` with a bid ahead.
    """
    _insert(
        shard,
        "shows",
        {
            "show_id": named("show"),
            "seller_id": named("seller"),
            "seller_name": "Shop",
            "request_id": named("create show"),
            "body_hash": b"",
            "title": "An evening",
            "description": "",
            "image_url": "",
            "state": 1,
            "starts_at": _FAR_AHEAD,
            "sequence": 2,
            "created_at": START,
        },
    )
    for name, played in _played(named):
        _write(shard, name, played, named)
        book = played.auction.book
        yield name, book.sequence, book.state is State.ENDED


def _played(named: Named) -> Iterator[tuple[str, PlayedAuction]]:
    ann, ben, cleo = named("Ann"), named("Ben"), named("Cleo")

    def begun(name: str, terms: Terms, **changes: Any) -> PlayedAuction:
        changes = {"auction_id": named(name), "ends_at": _FAR_AHEAD} | changes
        return PlayedAuction(auction_of(terms, **changes))

    def terms(**changes: Any) -> Terms:
        return terms_of(seller_id=named("seller"), opening_minor=1_00, **changes)

    sealed = begun("sealed", terms(format=SEALED_SECOND_PRICE, funding=Funding.WALLET_HOLD))
    assert sealed.bid(ann, 9_09)
    assert sealed.bid(ben, 7_07)
    assert sealed.bid(ann, 10_10)
    yield "sealed", sealed

    falling = FallingPrice(10, timedelta(seconds=1), 50)
    dutch = begun(
        "dutch", terms(format=DUTCH, falling_price=falling), paused_for=timedelta(seconds=2)
    )
    dutch.now = START + timedelta(seconds=5)
    assert dutch.bid(ben, 90)
    yield "dutch", dutch

    bought = begun("bought", terms(buy_now=BuyNow(8_08, BuyNowAvailability.UNTIL_REACHED)))
    assert bought.bid(ann, 2_02)
    assert bought.bid(cleo, 8_08, buys=True)
    yield "bought", bought

    retracted = begun("retracted", terms())
    assert retracted.bid(ann, 20_02)
    assert retracted.bid(ben, 30_03)
    assert retracted.retract(ben)
    assert retracted.bid(cleo, 11_11)
    yield "retracted", retracted

    lot = begun(
        "lot", terms(show_id=named("show")), state=State.QUEUED, starts_at=None, ends_at=None
    )
    assert lot.bid(ann, 6_06)
    yield "lot", lot


def _write(shard: psycopg.Connection[Any], name: str, played: PlayedAuction, named: Named) -> None:
    """Write an auction with its book and log, as the service does."""
    auction, auction_id = played.auction, named(name)
    auction_facts = {
        "auction_id": auction_id,
        "seller_name": "Shop",
        "request_id": named(f"create {name}"),
        "body_hash": b"",
        "title": "A thing",
        "description": "",
        "image_url": "",
        "created_at": START,
    }
    _insert(shard, "auctions", auction_facts | terms_parameters(auction.terms))
    book_facts = {column: attrgetter(column)(auction.book) for column in BOOK_COLUMNS}
    _insert(shard, "books", book_facts)
    gone_at = {
        sequence: happening.occurred_at
        for happening in played.happenings
        if isinstance(happening, BidsRetracted)
        for sequence in happening.sequences
    }
    for happening in played.happenings:
        if isinstance(happening, BidPlaced):
            marked_at = gone_at.get(happening.sequence)
            _insert(shard, "bids", _bid(auction_id, happening) | {"retracted_at": marked_at})
        else:
            _insert(shard, "retractions", _retraction(auction_id, happening))
    if auction.terms.format.sealed:
        for bid in {bid.bidder_id: bid for bid in played.standing}.values():
            keys = {"auction_id": auction_id, "bidder_id": bid.bidder_id, "currency_code": "USD"}
            facts = {"maximum_minor": bid.maximum_minor, "held_minor": bid.maximum_minor} | keys
            _insert(shard, "sealed_bids", facts)


def _bid(auction_id: str, bid: BidPlaced) -> dict[str, Any]:
    names = (
        "sequence bid_id bidder_id request_id maximum_minor price_minor leader_id bid_count ends_at"
        " record_hash won salt"
    ).split()
    facts = {name: getattr(bid, name) for name in names}
    return facts | {"auction_id": auction_id, "epoch": 1, "placed_at": bid.occurred_at}


def _retraction(auction_id: str, retraction: BidsRetracted) -> dict[str, Any]:
    names = (
        "sequence retraction_id bidder_id request_id reason price_minor leader_id record_hash salt"
    ).split()
    facts = {name: getattr(retraction, name) for name in names}
    return facts | {
        "auction_id": auction_id,
        "epoch": 1,
        "retracted_at": retraction.occurred_at,
        "bid_ids": list(retraction.bid_ids),
        "sequences": list(retraction.sequences),
    }


def _insert(shard: psycopg.Connection[Any], table: str, facts: Mapping[str, Any]) -> None:
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, facts)),
        sql.SQL(", ").join(map(sql.Placeholder, facts)),
    )
    shard.execute(statement, facts)
