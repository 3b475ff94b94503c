"""One suite on the ledger in memory and on the real one: both keep the port's promises."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from blytz.payment.v1 import wallet_service_pb2 as messages
from fakes.payment_commands import Wallet, usd
from fakes.payment_ledger import FakeLedger
from fakes.payment_processor import FakeProcessor
from kernel.ids import new_id
from kernel.money import Money
from servicekit.errors import RequestIdReused
from svc_payment.application.apply_stripe_event import apply_stripe_event
from svc_payment.application.ports import LedgerTransaction, StripeEvent
from svc_payment.domain.deposits import DepositState, Failure, ProcessorReport
from svc_payment.domain.errors import (
    AllotmentTooSmall,
    AuctionSettled,
    CardDeclined,
    InsufficientFunds,
    PaymentContradictsDeposit,
    ProcessorUnavailable,
    Refusal,
)


@pytest.fixture(params=["memory", "postgres"])
def wallet(request: pytest.FixtureRequest) -> Wallet:
    if request.param == "memory":
        return Wallet(ledger=FakeLedger(), processor=FakeProcessor())
    made: Wallet = request.getfixturevalue("opened").wallet()
    return made


def processor_of(wallet: Wallet) -> FakeProcessor:
    assert isinstance(wallet.processor, FakeProcessor)
    return wallet.processor


async def test_money_comes_in_is_lent_comes_back_and_is_paid(wallet: Wallet) -> None:
    await wallet.deposit(usd(1000))
    reply = await wallet.allot(usd(700), shard=3)
    assert messages.AllotBiddingPowerResponse.FromString(reply).allotted.amount_minor == 700
    assert await wallet.money() == (300, 700)
    assert await wallet.give_back(usd(200), shard=3) == b""
    assert await wallet.money() == (500, 500)
    assert await wallet.settle(usd(450), shard=3) == b""
    assert await wallet.money() == (500, 50)
    assert await wallet.earnings_minor() == 450


async def test_an_unknown_person_has_nothing(wallet: Wallet) -> None:
    assert await wallet.ledger.balances(new_id()) == []


async def test_currencies_are_kept_apart_and_in_order(wallet: Wallet) -> None:
    await wallet.deposit(usd(1000))
    await wallet.deposit(Money("EUR", 300))
    with pytest.raises(InsufficientFunds):
        await wallet.allot(Money("EUR", 301))
    balances = await wallet.ledger.balances(wallet.user_id)
    assert [balance.available for balance in balances] == [Money("EUR", 300), usd(1000)]


async def test_an_allotment_reaches_as_far_as_the_balance(wallet: Wallet) -> None:
    await wallet.deposit(usd(500))
    reply = await wallet.allot(usd(700), minimum=usd(400))
    assert messages.AllotBiddingPowerResponse.FromString(reply).allotted.amount_minor == 500
    assert await wallet.money() == (0, 500)


async def test_no_funds(wallet: Wallet) -> None:
    await wallet.deposit(usd(300))
    with pytest.raises(InsufficientFunds) as refused:
        await wallet.allot(usd(700), minimum=usd(400))
    assert refused.value.metadata == {"available_minor": "300"}
    assert await wallet.money() == (300, 0)


async def test_a_shard_has_only_what_it_was_lent(wallet: Wallet) -> None:
    await wallet.deposit(usd(500))
    await wallet.allot(usd(500), shard=1)
    auction_id = new_id()
    for attempt in (
        wallet.give_back(usd(501), shard=1),
        wallet.give_back(usd(1), shard=2),
        wallet.settle(usd(1), shard=2),
        wallet.settle(usd(501), shard=1, auction_id=auction_id),
    ):
        with pytest.raises(AllotmentTooSmall):
            await attempt
    assert await wallet.money() == (0, 500)
    # The refused settlement did not use the auction up.
    await wallet.settle(usd(500), shard=1, auction_id=auction_id)
    assert await wallet.earnings_minor() == 500


async def test_an_auction_is_settled_once(wallet: Wallet) -> None:
    await wallet.deposit(usd(500))
    await wallet.allot(usd(500))
    auction_id, request_id = new_id(), new_id()
    await wallet.settle(usd(100), auction_id=auction_id, request_id=request_id)
    assert await wallet.settle(usd(100), auction_id=auction_id, request_id=request_id) == b""
    with pytest.raises(AuctionSettled):
        await wallet.settle(usd(100), auction_id=auction_id)
    assert await wallet.earnings_minor() == 100


async def test_a_replay_has_the_first_answer_and_no_effect(wallet: Wallet) -> None:
    await wallet.deposit(usd(500))
    request_id = new_id()
    first = await wallet.allot(usd(400), minimum=usd(100), request_id=request_id)
    again = await wallet.allot(usd(400), minimum=usd(100), request_id=request_id)
    assert again == first
    assert await wallet.money() == (100, 400)
    back = new_id()
    await wallet.give_back(usd(300), request_id=back)
    await wallet.give_back(usd(300), request_id=back)
    assert await wallet.money() == (400, 100)


async def test_a_refusal_is_replayed_even_when_the_money_has_come(wallet: Wallet) -> None:
    request_id = new_id()
    with pytest.raises(InsufficientFunds) as first:
        await wallet.allot(usd(400), request_id=request_id)
    await wallet.deposit(usd(500))
    with pytest.raises(InsufficientFunds) as again:
        await wallet.allot(usd(400), request_id=request_id)
    assert (again.value.message, again.value.metadata) == (
        first.value.message,
        first.value.metadata,
    )
    assert await wallet.money() == (500, 0)


Send = Callable[[Wallet, int, str], Awaitable[bytes]]


@pytest.mark.parametrize(
    "send",
    [
        lambda wallet, minor, request_id: wallet.deposit(usd(minor), request_id=request_id),
        lambda wallet, minor, request_id: wallet.allot(usd(minor), request_id=request_id),
        lambda wallet, minor, request_id: wallet.give_back(usd(minor), request_id=request_id),
        lambda wallet, minor, request_id: wallet.settle(usd(minor), request_id=request_id),
    ],
    ids=["deposit", "allot", "return", "settle"],
)
async def test_another_body_under_the_same_request_id_is_refused(
    wallet: Wallet, send: Send
) -> None:
    await wallet.deposit(usd(500))
    await wallet.allot(usd(300))
    request_id = new_id()
    await send(wallet, 100, request_id)
    before = await wallet.money()
    with pytest.raises(RequestIdReused):
        await send(wallet, 101, request_id)
    assert await wallet.money() == before


async def test_a_decline_is_raised_with_its_code_for_good(wallet: Wallet) -> None:
    processor_of(wallet).outcome = ProcessorReport(
        state=DepositState.FAILED, failure=Failure.DECLINED, failure_code="expired_card"
    )
    request_id = new_id()
    for _ in range(2):
        with pytest.raises(CardDeclined) as refused:
            await wallet.deposit(usd(500), request_id=request_id)
        assert refused.value.metadata == {"decline_code": "expired_card"}
    assert processor_of(wallet).call_count == 1


async def test_an_event_counts_once_and_only_if_it_fits(wallet: Wallet) -> None:
    processor_of(wallet).outcome = ProcessorReport(state=DepositState.PENDING)
    reply = await wallet.deposit(usd(500))
    deposit_id = messages.CreateDepositResponse.FromString(reply).deposit.deposit_id
    paid = processor_of(wallet).move(deposit_id, state=DepositState.SUCCEEDED)
    wrong = ProcessorReport(
        state=DepositState.SUCCEEDED, payment_id=paid.payment_id, amount=usd(400)
    )

    def event_of(report: ProcessorReport, event_id: str) -> StripeEvent:
        return StripeEvent(
            event_id=event_id,
            event_type="payment_intent.succeeded",
            deposit_id=deposit_id,
            report=report,
        )

    event_id = new_id()
    with pytest.raises(PaymentContradictsDeposit):
        await apply_stripe_event(event_of(wrong, event_id), ledger=wallet.ledger)
    assert await wallet.money() == (0, 0)
    outcomes = await asyncio.gather(
        *(apply_stripe_event(event_of(paid, event_id), ledger=wallet.ledger) for _ in range(5)),
        *(apply_stripe_event(event_of(paid, new_id()), ledger=wallet.ledger) for _ in range(5)),
    )
    assert sum(outcomes) == 6
    assert await wallet.money() == (500, 0)


async def test_attempts_are_counted_leased_and_ended(wallet: Wallet) -> None:
    processor_of(wallet).is_away = True
    with pytest.raises(ProcessorUnavailable):
        await wallet.deposit(usd(500))
    deposit_id = processor_of(wallet).last_deposit_id
    assert deposit_id not in await wallet.ledger.undecided_deposits(idle_s=60, count_max=1000)

    async def begin(transaction: LedgerTransaction) -> int:
        return await transaction.begin_attempt(deposit_id, lease_s=60)

    async def end(transaction: LedgerTransaction) -> None:
        await transaction.end_attempt(deposit_id, number - 1, was_answered=True)
        stale = await transaction.lock_deposit(deposit_id)
        assert stale is not None
        assert stale[1].is_under_way
        await transaction.end_attempt(deposit_id, number, was_answered=True)
        ended = await transaction.lock_deposit(deposit_id)
        assert ended is not None
        assert not ended[1].is_under_way
        assert ended[1].was_answered

    number = await wallet.ledger.run(begin)
    assert number == 2
    await wallet.ledger.run(end)


async def test_an_unknown_deposit_is_none(wallet: Wallet) -> None:
    async def look(transaction: LedgerTransaction) -> object:
        return await transaction.lock_deposit(new_id())

    assert await wallet.ledger.run(look) is None


async def test_what_raises_leaves_nothing(wallet: Wallet) -> None:
    auction_id = new_id()

    async def settle_and_fail(transaction: LedgerTransaction) -> None:
        await transaction.record_settlement(
            auction_id=auction_id,
            winner_id=new_id(),
            seller_id=new_id(),
            shard=0,
            hammer_price=usd(1),
        )
        raise Refusal

    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            await wallet.ledger.run(settle_and_fail)
        assert not isinstance(refused.value, AuctionSettled)
