"""The ledger defends itself: no statement of the service can make its books disagree."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from fakes.payment_commands import usd
from fakes.payment_database import PaymentDatabase
from kernel.ids import new_id
from stack.parts.postgres import Postgres
from svc_payment.domain.accounts import available, bidding_power, processor_clearing
from svc_payment.infrastructure.verification import verify_ledger


@pytest.fixture
async def books(opened: PaymentDatabase) -> AsyncIterator[tuple[PaymentDatabase, str]]:
    """A user with 300 available and 700 on shard 0, who has paid an auction."""
    wallet = opened.wallet()
    await wallet.deposit(usd(1100))
    await wallet.allot(usd(800))
    await wallet.settle(usd(100))
    yield opened, wallet.user_id
    assert await wallet.money() == (300, 700)


REFUSED_STATEMENTS = [
    "update ledger_postings set amount_minor = amount_minor + 1",
    "delete from ledger_postings",
    "truncate ledger_postings cascade",
    "update ledger_transfers set kind = 'RETURN'",
    "delete from ledger_transfers",
    "truncate ledger_transfers cascade",
    "update ledger_accounts set balance_minor = balance_minor + 1",
    "update ledger_accounts set currency_code = 'EUR'",
    "update ledger_accounts set owner_id = gen_random_uuid() where kind = 'AVAILABLE'",
    "delete from ledger_accounts",
    "truncate ledger_accounts cascade",
    """
    insert into ledger_accounts (account_id, kind, owner_id, currency_code, balance_minor)
    values (gen_random_uuid(), 'AVAILABLE', gen_random_uuid(), 'USD', 5)
    """,
    """
    insert into ledger_accounts (account_id, kind, owner_id, currency_code)
    select gen_random_uuid(), kind, owner_id, currency_code from ledger_accounts
    where kind = 'AVAILABLE'
    """,
    "update deposits set state = 'PENDING', decided_at = null",
    "update deposits set amount_minor = amount_minor + 1",
    "update deposits set payment_id = 'pi_other'",
    "delete from deposits",
    "truncate deposits cascade",
    "update settlements set amount_minor = amount_minor + 1",
    "delete from settlements",
    "truncate settlements",
    "update command_results set response = 'x'",
]


@pytest.mark.parametrize("statement", REFUSED_STATEMENTS)
async def test_history_cannot_be_changed(
    books: tuple[PaymentDatabase, str], statement: str
) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        await books[0].rows(statement)


Statement = tuple[str, tuple[object, ...]]

INSERT_TRANSFER = """
insert into ledger_transfers (transfer_id, kind, cause_id, posting_count)
values (%s, 'RETURN', %s, %s)
"""
INSERT_POSTING = "insert into ledger_postings values (%s, %s, %s, %s, %s)"


def transfer(postings: list[tuple[str, str, int]], *, posting_count: int = 2) -> list[Statement]:
    """Return the statements of a transfer: account, currency and amount of each posting."""
    transfer_id = new_id()
    return [
        (INSERT_TRANSFER, (transfer_id, new_id(), posting_count)),
        *(
            (INSERT_POSTING, (transfer_id, position, *posting))
            for position, posting in enumerate(postings, 1)
        ),
    ]


async def test_unbalanced_transfers_are_refused(books: tuple[PaymentDatabase, str]) -> None:
    database, user_id = books
    source = bidding_power(user_id, 0, "USD").account_id
    target = available(user_id, "USD").account_id
    for statements in (
        transfer([(source, "USD", -5), (target, "USD", 6)]),
        transfer([(target, "USD", 5), (target, "EUR", -5)]),
        transfer([(source, "USD", -5)], posting_count=2),
        transfer([]),
        transfer([(source, "USD", -5), (target, "USD", 2), (target, "USD", 3)]),
    ):
        with pytest.raises(psycopg.errors.IntegrityError):
            await database.execute(*statements)


async def test_nothing_is_added_to_an_old_transfer(books: tuple[PaymentDatabase, str]) -> None:
    database, user_id = books
    source = bidding_power(user_id, 0, "USD").account_id
    target = available(user_id, "USD").account_id
    ((transfer_id,),) = await database.rows(
        "select transfer_id from ledger_postings where account_id = %s and position = 2", source
    )
    with pytest.raises(psycopg.errors.IntegrityError):
        await database.execute(
            (INSERT_POSTING, (transfer_id, 3, source, "USD", -5)),
            (INSERT_POSTING, (transfer_id, 4, target, "USD", 5)),
        )


async def test_no_balance_goes_below_zero_but_the_outside_worlds(
    books: tuple[PaymentDatabase, str],
) -> None:
    database, user_id = books
    target = available(user_id, "USD").account_id
    overdrawn = transfer(
        [(target, "USD", -301), (bidding_power(user_id, 0, "USD").account_id, "USD", 301)]
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="never_negative"):
        await database.execute(*overdrawn)
    ((clearing_minor,),) = await database.rows(
        "select balance_minor from ledger_accounts where account_id = %s",
        processor_clearing("USD").account_id,
    )
    assert clearing_minor < 0


async def test_verification_finds_what_a_superuser_has_forged(
    postgres_server: Postgres, payment_url: str
) -> None:
    """A check that cannot fail is worth nothing: forge each kind of fault, and undo it again."""
    name = payment_url.rsplit("/", maxsplit=1)[-1].split("?", maxsplit=1)[0]
    async with PaymentDatabase.open(payment_url) as honest:
        wallet = honest.wallet()
        await wallet.deposit(usd(1000))
        await wallet.allot(usd(700))
        await wallet.settle(usd(100))
    forgeries = {
        "wrong_balances": "update ledger_accounts set balance_minor = balance_minor + 1"
        " where kind = 'AVAILABLE'",
        "wrong_transfers": "update ledger_postings set amount_minor = amount_minor + 1"
        " where position = 2",
        "wrong_deposits": "update deposits set amount_minor = amount_minor + 1",
        "wrong_settlements": "delete from settlements",
    }
    superuser_url = f"{postgres_server.url}/{name}"
    for found_in, forgery in forgeries.items():
        async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
            await connection.execute("set session_replication_role = replica")
            await connection.execute("create schema backup")
            tables = ("ledger_accounts", "ledger_postings", "deposits", "settlements")
            for table in tables:
                await connection.execute(f"create table backup.{table} as table {table}")
            await connection.execute(forgery)
        async with PaymentDatabase.open(payment_url) as forged:
            verification = await verify_ledger(forged.database)
        assert not verification.is_sound
        assert verification.as_json()[found_in]
        async with await psycopg.AsyncConnection.connect(superuser_url) as connection:
            await connection.execute("set session_replication_role = replica")
            for table in tables:
                await connection.execute(f"truncate {table} cascade")
                await connection.execute(f"insert into {table} table backup.{table}")
            await connection.execute("drop schema backup cascade")
    async with PaymentDatabase.open(payment_url) as restored:
        assert (await verify_ledger(restored.database)).is_sound
