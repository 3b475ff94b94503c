"""A small world of money and bids in real databases, consistent until a test plants a violation."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg

from blytz.events.v1.auction_events_pb2 import AuctionEnded, AuctionStarted, BidPlaced
from blytz.events.v1.event_pb2 import Event
from fakes.doctor_auctions import add_other_auctions
from servicekit.migrations import upgrade
from stack.parts.postgres import Postgres
from svc_auction.domain.bid_log import record_hash

_NAMES = UUID("3f0c5b8e-6a7e-4d4e-9a53-1f6a3a0a7f10")
_STARTED_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
_LADDER = ([0, 100, 500, 2500, 10000], [5, 25, 50, 100, 250])


def named(name: str) -> str:
    """The id of a person, auction or transfer of this world."""
    return str(uuid5(_NAMES, name))


@dataclass(frozen=True)
class DoctorWorld:
    """Addresses of the databases.

    `live`: Ann leads at 3,100 with a maximum of 5,000, which is held; Ben was outbid. `sold`: Cleo
    won at the reserve of 2,000, which is settled. The other auctions, one of each kind, are those
    of `doctor_auctions`; of them the sealed one holds 1,010 of Ann's and 707 of Ben's. An allotment
    to Ben and a return from Cleo are under way.
    """

    shard_url: str
    ledger_url: str
    identity_url: str

    @classmethod
    def made(cls, postgres: Postgres) -> "DoctorWorld":
        urls = [postgres.create_database(f"doctor_{name}") for name in ("a", "p", "i")]
        for url, service in zip(urls, ("auction", "payment", "identity"), strict=True):
            upgrade(url, f"svc_{service}.infrastructure.migrations")
        world = cls(*urls)
        with psycopg.connect(world.shard_url) as shard:
            _fill_shard(shard)
        with psycopg.connect(world.ledger_url) as ledger:
            _fill_ledger(ledger)
        with psycopg.connect(world.identity_url) as identity:
            _fill_identity(identity)
        return world


def event_row(
    aggregate: str, sequence: int, *, topic: str = "auction.events", **payload: Any
) -> tuple[str, str, bytes]:
    """The outbox row of an event."""
    event = Event(aggregate_id=named(aggregate), epoch=1, sequence=sequence, **payload)
    return topic, named(aggregate), event.SerializeToString()


def _fill_shard(shard: psycopg.Connection[Any]) -> None:
    _add_auction(shard, "live", None, [("Ann", 5000, 1000, "Ann"), ("Ben", 3000, 3100, "Ann")])
    _add_auction(shard, "sold", 2000, [("Ben", 1500, 1000, "Ben"), ("Cleo", 4000, 2000, "Cleo")])
    shard.execute(
        "update books set state = 4, outcome = 1, sequence = 5, held_minor = 0, ends_at = %s"
        " where auction_id = %s",
        (_STARTED_AT + timedelta(hours=1), named("sold")),
    )
    _add_events(shard, [event_row("sold", 5, auction_ended=AuctionEnded())])
    for person, allotted_minor, held_minor in (
        ("Ann", 8000, 6010),
        ("Ben", 4000, 707),
        ("Cleo", 3900, 0),
    ):
        shard.execute(
            "insert into bidding_power (bidder_id, currency_code, allotted_minor, held_minor)"
            " values (%s, 'USD', %s, %s)",
            (named(person), allotted_minor, held_minor),
        )
    for name, sequence, ended in add_other_auctions(shard, named):
        _add_events(shard, [event_row(name, number) for number in range(1, sequence)])
        last = AuctionEnded() if ended else None
        _add_events(shard, [event_row(name, sequence, auction_ended=last)])
    _add_events(shard, [event_row("show", n, topic="show.events") for n in (1, 2)])
    _add_events(shard, [event_row("Ben", 0, topic="notification.events")])
    for kind, state, person, amount_minor, auction in (
        (1, 2, "Ann", 8000, None),
        (1, 2, "Ben", 4000, None),
        (1, 2, "Cleo", 6000, None),
        (1, 1, "Ben", 500, None),
        (2, 1, "Cleo", 100, None),
        (3, 2, "Cleo", 2000, "sold"),
    ):
        shard.execute(
            "insert into power_transfers (transfer_id, kind, state, bidder_id, currency_code,"
            " amount_minor, minimum_minor, auction_id, seller_id)"
            " values (%s, %s, %s, %s, 'USD', %s, %s, %s, %s)",
            (
                named(f"{kind} {person} {amount_minor}"),
                *(kind, state, named(person), amount_minor, amount_minor if kind == 1 else 0),
                *((named(auction), named("seller")) if auction else (None, None)),
            ),
        )


def _add_auction(
    shard: psycopg.Connection[Any],
    name: str,
    reserve_minor: int | None,
    bids: Sequence[tuple[str, int, int, str]],
) -> None:
    """Add an auction that is live, with its events; bids are bidder, maximum, price, leader."""
    auction_id, ends_at = named(name), datetime.now(UTC) + timedelta(days=1)
    shard.execute(
        "insert into auctions values (%s, %s, 'Shop', %s, '', 'A thing', '', '', 'USD', 1000, %s,"
        " %s, %s, null, null, null, 1, %s)",
        (
            auction_id,
            named("seller"),
            named(f"create {name}"),
            reserve_minor,
            *_LADDER,
            _STARTED_AT,
        ),
    )
    head = b""
    for number, (bidder, maximum_minor, price_minor, leader) in enumerate(bids, start=1):
        placed_at = _STARTED_AT + timedelta(minutes=number)
        facts = {
            "auction_id": auction_id,
            "sequence": number + 2,
            "bid_id": named(f"bid {number} on {name}"),
            "bidder_id": named(bidder),
            "maximum_minor": maximum_minor,
            "price_minor": price_minor,
            "placed_at": placed_at,
        }
        head = record_hash(previous=head, salt=b"", **facts)  # type: ignore[arg-type]
        shard.execute(
            "insert into bids (auction_id, sequence, epoch, bid_id, bidder_id, request_id,"
            " maximum_minor, price_minor, leader_id, bid_count, ends_at, placed_at, record_hash)"
            " values (%(auction_id)s, %(sequence)s, 1, %(bid_id)s, %(bidder_id)s, %(request_id)s,"
            " %(maximum_minor)s, %(price_minor)s, %(leader_id)s, %(bid_count)s, %(ends_at)s,"
            " %(placed_at)s, %(record_hash)s)",
            facts
            | {
                "request_id": named(f"request {number} on {name}"),
                "leader_id": named(leader),
                "bid_count": number,
                "ends_at": ends_at,
                "record_hash": head,
            },
        )
    leader = bids[-1][3]
    maximum_minor = max(bid[1] for bid in bids)
    shard.execute(
        "insert into books (auction_id, state, sequence, price_minor, leader_id,"
        " leader_maximum_minor, held_minor, bid_count, starts_at, ends_at, log_head)"
        " values (%s, 3, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(auction_id, 2 + len(bids), bids[-1][2], named(leader), maximum_minor, maximum_minor),
            *(len(bids), _STARTED_AT, ends_at, head),
        ),
    )
    rows = [event_row(name, 1), event_row(name, 2, auction_started=AuctionStarted())]
    rows += [event_row(name, 2 + n, bid_placed=BidPlaced()) for n in range(1, len(bids) + 1)]
    _add_events(shard, rows)


def _add_events(connection: psycopg.Connection[Any], rows: list[tuple[str, str, bytes]]) -> None:
    for row in rows:
        connection.execute(
            "insert into outbox (topic, partition_key, payload, kafka_partition, kafka_offset)"
            " values (%s, %s, %s, 0, 0)",
            row,
        )


def _fill_ledger(ledger: psycopg.Connection[Any]) -> None:
    people = ("Ann", "Ben", "Cleo")
    accounts = [
        ("world", "PROCESSOR_CLEARING", None, None),
        ("earned", "PENDING_EARNINGS", named("seller"), None),
        *((f"{name} available", "AVAILABLE", named(name), None) for name in people),
        *((f"{name} power", "BIDDING_POWER", named(name), 0) for name in people),
    ]
    for name, kind, owner_id, shard in accounts:
        ledger.execute(
            "insert into ledger_accounts (account_id, kind, owner_id, shard, currency_code)"
            " values (%s, %s, %s, %s, 'USD')",
            (named(name), kind, owner_id, shard),
        )
    for person in people:
        ledger.execute(
            "insert into deposits (deposit_id, user_id, request_id, body_hash, currency_code,"
            " amount_minor, payment_method_id, state, payment_id, decided_at)"
            " values (%s, %s, %s, %s, 'USD', 10000, 'pm_card_visa', 'SUCCEEDED', %s, now())",
            (
                *(named(f"deposit {person}"), named(person), named(f"pay in {person}")),
                *(hashlib.sha256(b"").digest(), f"pi_{person}"),
            ),
        )
        cause_id = named(f"deposit {person}")
        _transfer(ledger, "DEPOSIT", cause_id, ("world", f"{person} available"), 10000)
    for person, amount_minor in (("Ann", 8000), ("Ben", 4000), ("Cleo", 6000)):
        cause_id = named(f"1 {person} {amount_minor}")
        available, power = f"{person} available", f"{person} power"
        _transfer(ledger, "ALLOTMENT", cause_id, (available, power), amount_minor)
    _transfer(ledger, "SETTLEMENT", named("sold"), ("Cleo power", "earned"), 2000)
    ledger.execute(
        "insert into settlements values (%s, %s, %s, 0, 'USD', 2000)",
        (named("sold"), named("Cleo"), named("seller")),
    )
    ledger.execute(
        "insert into command_results (principal, method, request_id, body_hash, response)"
        " values ('auction', 'AllotBiddingPower', %s, %s, '')",
        (named("1 Ann 8000"), hashlib.sha256(b"").digest()),
    )


def _transfer(
    ledger: psycopg.Connection[Any],
    kind: str,
    cause_id: str,
    accounts: tuple[str, str],
    amount_minor: int,
) -> None:
    """Move an amount from the first account to the second."""
    transfer_id = named(f"transfer {kind} {cause_id}")
    ledger.execute(
        "insert into ledger_transfers (transfer_id, kind, cause_id, posting_count)"
        " values (%s, %s, %s, 2)",
        (transfer_id, kind, cause_id),
    )
    for position, (account, change_minor) in enumerate(
        zip(accounts, (-amount_minor, amount_minor), strict=True), start=1
    ):
        ledger.execute(
            "insert into ledger_postings values (%s, %s, %s, 'USD', %s)",
            (transfer_id, position, named(account), change_minor),
        )


def _fill_identity(identity: psycopg.Connection[Any]) -> None:
    identity.execute(
        "insert into people (user_id, email, display_name, password_hash, event_sequence,"
        " created_at) values (%s, 'ann@people.example', 'Ann', '$argon2id$', 1, now())",
        (named("Ann"),),
    )
    _add_events(identity, [event_row("Ann", 1, topic="user.events")])


def intents() -> list[dict[str, Any]]:
    """The payments at the processor that fit the deposits."""
    return [
        {
            "id": f"pi_{person}",
            "status": "succeeded",
            "currency": "usd",
            "amount_received": 10000,
            "created": time.time() - 3600,
            "metadata": {"deposit_id": named(f"deposit {person}")},
        }
        for person in ("Ann", "Ben", "Cleo")
    ]
