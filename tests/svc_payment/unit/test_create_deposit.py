"""CreateDeposit when the processor answers, refuses, is away, or loses its answer."""

import asyncio

import pytest

from blytz.payment.v1 import wallet_service_pb2 as messages
from fakes.payment_commands import Wallet, usd
from fakes.payment_ledger import FakeLedger
from fakes.payment_processor import FakeProcessor
from kernel.ids import new_id
from kernel.money import Money
from servicekit.errors import RequestIdReused
from svc_payment.application.apply_stripe_event import apply_stripe_event
from svc_payment.application.ports import StripeEvent
from svc_payment.application.reconcile_deposits import reconcile_deposits
from svc_payment.domain.deposits import CHARGE_WINDOW_S, DepositState, Failure, ProcessorReport
from svc_payment.domain.errors import CardDeclined, CurrencyNotSupported, ProcessorUnavailable


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def processor() -> FakeProcessor:
    return FakeProcessor()


@pytest.fixture
def wallet(ledger: FakeLedger, processor: FakeProcessor) -> Wallet:
    return Wallet(ledger=ledger, processor=processor)


def state_of(reply: bytes) -> str:
    deposit = messages.CreateDepositResponse.FromString(reply).deposit
    return messages.DepositState.Name(deposit.state).removeprefix("DEPOSIT_STATE_")


def id_of(reply: bytes) -> str:
    return messages.CreateDepositResponse.FromString(reply).deposit.deposit_id


def event_of(deposit_id: str, report: ProcessorReport) -> StripeEvent:
    return StripeEvent(
        event_id=new_id(),
        event_type="payment_intent.succeeded",
        deposit_id=deposit_id,
        report=report,
    )


async def test_a_paid_deposit_is_credited_and_told_once(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor
) -> None:
    request_id = new_id()
    first = await wallet.deposit(usd(500), request_id=request_id)
    assert state_of(first) == "SUCCEEDED"
    assert await wallet.deposit(usd(500), request_id=request_id) == first
    assert await wallet.money() == (500, 0)
    assert processor.call_count == 1
    assert [deposit.deposit_id for deposit in ledger.state.published] == [id_of(first)]


async def test_another_body_under_the_same_request_id_is_refused(wallet: Wallet) -> None:
    request_id = new_id()
    await wallet.deposit(usd(500), request_id=request_id)
    with pytest.raises(RequestIdReused):
        await wallet.deposit(usd(501), request_id=request_id)
    assert await wallet.money() == (500, 0)


async def test_a_foreign_currency_is_refused_before_anything_is_written(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor
) -> None:
    with pytest.raises(CurrencyNotSupported):
        await wallet.deposit(Money("CHF", 500))
    assert ledger.state.deposits == {}
    assert processor.call_count == 0


async def test_a_decline_is_the_answer_for_good(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor
) -> None:
    processor.outcome = ProcessorReport(
        state=DepositState.FAILED, failure=Failure.DECLINED, failure_code="insufficient_funds"
    )
    request_id = new_id()
    for _ in range(2):
        with pytest.raises(CardDeclined) as refused:
            await wallet.deposit(usd(500), request_id=request_id)
        assert refused.value.metadata == {"decline_code": "insufficient_funds"}
    assert processor.call_count == 1
    # Money that comes in after all is the buyer's, but the answer of this command stays.
    (deposit_id,) = ledger.state.deposits
    report = processor.move(deposit_id, state=DepositState.SUCCEEDED, failure=None, failure_code="")
    assert await apply_stripe_event(event_of(deposit_id, report), ledger=ledger)
    assert await wallet.money() == (500, 0)
    with pytest.raises(CardDeclined):
        await wallet.deposit(usd(500), request_id=request_id)


@pytest.mark.parametrize("fault", ["is_away", "loses_answers"])
async def test_an_unknown_outcome_is_continued_by_a_replay(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor, fault: str
) -> None:
    request_id = new_id()
    setattr(processor, fault, True)
    for _ in range(2):
        with pytest.raises(ProcessorUnavailable):
            await wallet.deposit(usd(500), request_id=request_id)
    assert [row.deposit.state for row in ledger.state.deposits.values()] == ["PENDING"]
    assert await wallet.money() == (0, 0)
    setattr(processor, fault, False)
    reply = await wallet.deposit(usd(500), request_id=request_id)
    assert state_of(reply) == "SUCCEEDED"
    assert await wallet.money() == (500, 0)
    assert len(processor.payments) == 1


async def test_a_webhook_before_the_answer_counts_once(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor
) -> None:
    request_id = new_id()
    processor.loses_answers = True
    with pytest.raises(ProcessorUnavailable):
        await wallet.deposit(usd(500), request_id=request_id)
    (deposit_id,) = ledger.state.deposits
    event = event_of(deposit_id, processor.payments[deposit_id])
    assert await apply_stripe_event(event, ledger=ledger)
    assert not await apply_stripe_event(event, ledger=ledger)
    reply = await wallet.deposit(usd(500), request_id=request_id)
    assert state_of(reply) == "SUCCEEDED"
    assert await wallet.money() == (500, 0)
    assert len(ledger.state.published) == 1


async def test_an_event_about_no_deposit_of_ours_has_no_effect(ledger: FakeLedger) -> None:
    report = ProcessorReport(state=DepositState.SUCCEEDED, payment_id="pi_9", amount=usd(1))
    assert not await apply_stripe_event(event_of(new_id(), report), ledger=ledger)
    assert ledger.state.stripe_events == set()


async def test_double_clicks_share_one_call_and_one_answer(
    wallet: Wallet, processor: FakeProcessor
) -> None:
    request_id = new_id()
    processor.delay_s = 0.05
    replies = await asyncio.gather(
        *(wallet.deposit(usd(500), request_id=request_id) for _ in range(50))
    )
    assert len(set(replies)) == 1
    assert processor.call_count == 1
    assert await wallet.money() == (500, 0)


async def test_double_clicks_share_a_failure_too(wallet: Wallet, processor: FakeProcessor) -> None:
    request_id = new_id()
    processor.delay_s = 0.05
    processor.is_away = True
    outcomes = await asyncio.gather(
        *(wallet.deposit(usd(500), request_id=request_id) for _ in range(10)),
        return_exceptions=True,
    )
    assert {type(outcome) for outcome in outcomes} == {ProcessorUnavailable}
    assert processor.call_count == 1


async def test_a_caller_that_hangs_up_leaves_the_deposit_to_its_replay(
    wallet: Wallet, processor: FakeProcessor
) -> None:
    request_id = new_id()
    processor.delay_s = 10
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await wallet.deposit(usd(500), request_id=request_id)
    processor.delay_s = 0
    assert state_of(await wallet.deposit(usd(500), request_id=request_id)) == "SUCCEEDED"


async def test_a_buyer_who_must_confirm_gets_the_secret_until_it_is_decided(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor
) -> None:
    processor.outcome = ProcessorReport(
        state=DepositState.REQUIRES_ACTION, client_secret="pi_secret"
    )
    request_id = new_id()
    reply = await wallet.deposit(usd(500), request_id=request_id)
    deposit = messages.CreateDepositResponse.FromString(reply).deposit
    assert (state_of(reply), deposit.client_secret) == ("REQUIRES_ACTION", "pi_secret")
    report = processor.move(id_of(reply), state=DepositState.SUCCEEDED)
    await apply_stripe_event(event_of(id_of(reply), report), ledger=ledger)
    final = await wallet.deposit(usd(500), request_id=request_id)
    deposit = messages.CreateDepositResponse.FromString(final).deposit
    assert (state_of(final), deposit.client_secret) == ("SUCCEEDED", "")


async def test_the_reconciler_settles_a_lost_answer_without_charging(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor
) -> None:
    processor.loses_answers = True
    with pytest.raises(ProcessorUnavailable):
        await wallet.deposit(usd(500))
    assert await reconcile(ledger, processor) == (0, [])
    ledger.pass_time(31)
    assert await reconcile(ledger, processor) == (0, [])
    processor.loses_answers = False
    ledger.pass_time(31)
    assert await reconcile(ledger, processor) == (1, [])
    assert await wallet.money() == (500, 0)


async def test_the_reconciler_never_charges_and_gives_up_in_the_end(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor
) -> None:
    request_id = new_id()
    processor.is_away = True
    with pytest.raises(ProcessorUnavailable):
        await wallet.deposit(usd(500), request_id=request_id)
    processor.is_away = False
    ledger.pass_time(31)
    assert await reconcile(ledger, processor) == (0, [])
    assert processor.payments == {}
    ledger.pass_time(CHARGE_WINDOW_S)
    await reconcile(ledger, processor)
    reply = await wallet.deposit(usd(500), request_id=request_id)
    assert state_of(reply) == "FAILED"
    assert processor.payments == {}


async def test_a_late_replay_does_not_charge(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor
) -> None:
    request_id = new_id()
    processor.is_away = True
    with pytest.raises(ProcessorUnavailable):
        await wallet.deposit(usd(500), request_id=request_id)
    processor.is_away = False
    ledger.pass_time(CHARGE_WINDOW_S + 1)
    assert state_of(await wallet.deposit(usd(500), request_id=request_id)) == "FAILED"
    assert processor.payments == {}


async def test_the_reconciler_names_what_contradicts(
    wallet: Wallet, ledger: FakeLedger, processor: FakeProcessor
) -> None:
    processor.loses_answers = True
    with pytest.raises(ProcessorUnavailable):
        await wallet.deposit(usd(500))
    processor.loses_answers = False
    (deposit_id,) = ledger.state.deposits
    processor.move(deposit_id, amount=usd(400))
    ledger.pass_time(31)
    assert await reconcile(ledger, processor) == (1, [deposit_id])
    assert await wallet.money() == (0, 0)


async def reconcile(ledger: FakeLedger, processor: FakeProcessor) -> tuple[int, list[str]]:
    return await reconcile_deposits(ledger=ledger, processor=processor, idle_s=30)
