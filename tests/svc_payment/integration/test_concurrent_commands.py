"""Commands at once: one effect each, identical answers, and no deadlock that a caller sees."""

import asyncio

import pytest

from blytz.events.v1.event_pb2 import Event
from blytz.payment.v1 import wallet_service_pb2 as messages
from fakes.payment_commands import usd
from fakes.payment_database import PaymentDatabase
from kernel.ids import new_id
from kernel.money import Money
from servicekit.errors import DependencyUnavailable
from svc_payment.application.ports import LedgerTransaction
from svc_payment.domain.accounts import available
from svc_payment.domain.errors import AuctionSettled, InsufficientFunds
from svc_payment.infrastructure.postgres_ledger import RUN_COUNT_MAX

CLICKS = 50


async def test_double_clicks_on_every_command(opened: PaymentDatabase) -> None:
    wallet = opened.wallet()
    request_ids = [new_id() for _ in range(4)]
    auction_id = new_id()
    deposits = await asyncio.gather(
        *(wallet.deposit(usd(900), request_id=request_ids[0]) for _ in range(CLICKS))
    )
    lent = await asyncio.gather(
        *(wallet.allot(usd(800), minimum=usd(1), request_id=request_ids[1]) for _ in range(CLICKS))
    )
    back = await asyncio.gather(
        *(wallet.give_back(usd(100), request_id=request_ids[2]) for _ in range(CLICKS))
    )
    paid = await asyncio.gather(
        *(
            wallet.settle(usd(300), auction_id=auction_id, request_id=request_ids[3])
            for _ in range(CLICKS)
        )
    )
    for answers in (deposits, lent, back, paid):
        assert len(set(answers)) == 1
    assert await wallet.money() == (200, 400)
    assert await wallet.earnings_minor() == 300


async def test_double_clicks_on_a_refusal(opened: PaymentDatabase) -> None:
    wallet = opened.wallet()
    request_id = new_id()
    outcomes = await asyncio.gather(
        *(wallet.allot(usd(800), request_id=request_id) for _ in range(CLICKS)),
        return_exceptions=True,
    )
    assert {type(outcome) for outcome in outcomes} == {InsufficientFunds}
    assert {str(outcome) for outcome in outcomes} == {str(outcomes[0])}


async def test_different_commands_never_spend_the_same_money(opened: PaymentDatabase) -> None:
    wallet = opened.wallet()
    await wallet.deposit(usd(1000))
    outcomes = await asyncio.gather(
        *(wallet.allot(usd(300), shard=shard % 4) for shard in range(20)), return_exceptions=True
    )
    assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 3
    assert await wallet.money() == (100, 900)


async def test_one_of_many_settles_an_auction(opened: PaymentDatabase) -> None:
    wallet = opened.wallet()
    await wallet.deposit(usd(1000))
    await wallet.allot(usd(1000))
    auction_id = new_id()
    outcomes = await asyncio.gather(
        *(wallet.settle(usd(100), auction_id=auction_id) for _ in range(10)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes].count(AuctionSettled) == 9
    assert await wallet.earnings_minor() == 100


async def test_a_deadlock_is_run_again(opened: PaymentDatabase) -> None:
    """Two transactions lock two accounts in opposite order, which the use cases never do."""
    first, second = (available(new_id(), "USD") for _ in range(2))
    runs: list[str] = []

    async def lock(name: str, *accounts: object) -> None:
        async def work(transaction: LedgerTransaction) -> None:
            runs.append(name)
            for account in accounts:
                await transaction.lock_balances([account])  # type: ignore[list-item]
                await asyncio.sleep(0.2)

        await opened.ledger.run(work)

    await asyncio.gather(lock("one", first, second), lock("two", second, first))
    assert len(runs) == 3


async def test_a_database_that_stays_away_is_not_asked_for_ever(opened: PaymentDatabase) -> None:
    run_count = 0

    async def fail(_transaction: LedgerTransaction) -> None:
        nonlocal run_count
        run_count += 1
        await opened.rows(
            "do $$ begin raise exception 'a deadlock' using errcode = '40P01'; end $$"
        )

    with pytest.raises(DependencyUnavailable):
        await opened.ledger.run(fail)
    assert run_count == RUN_COUNT_MAX


async def test_a_paid_deposit_leaves_one_event(opened: PaymentDatabase) -> None:
    wallet = opened.wallet()
    reply = await wallet.deposit(Money("EUR", 1234))
    deposit_id = messages.CreateDepositResponse.FromString(reply).deposit.deposit_id
    ((topic, payload),) = await opened.rows(
        "select topic, payload from outbox where partition_key = %s", deposit_id
    )
    event = Event.FromString(payload)
    assert topic == "payment.events"
    assert (event.type, event.aggregate_id, event.epoch, event.sequence) == (
        "payment.ok",
        deposit_id,
        1,
        1,
    )
    assert event.payment_succeeded.user_id == wallet.user_id
    assert event.payment_succeeded.amount.amount_minor == 1234
    assert event.HasField("occurred_at")
    assert opened.wake_count == 1
