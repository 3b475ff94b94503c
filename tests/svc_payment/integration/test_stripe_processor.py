"""The real Stripe client and the real ledger, against a Stripe that fails in every way it can."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from blytz.payment.v1 import wallet_service_pb2 as messages
from fakes.payment_commands import Wallet, usd
from fakes.payment_database import PaymentDatabase
from fakes.stripe_account import StripeAccount
from kernel.ids import new_id
from stack.parts.stripe import StripeStandin
from stack.ports import PortReservations
from svc_payment.application.reconcile_deposits import reconcile_deposits
from svc_payment.domain.errors import (
    CardDeclined,
    PaymentMethodUnknown,
    ProcessorUnavailable,
)
from svc_payment.infrastructure.stripe_processor import StripeProcessor


@pytest.fixture
async def processor(stripe_standin: StripeStandin) -> AsyncIterator[StripeProcessor]:
    async with StripeProcessor.open(
        api_key=stripe_standin.api_key,
        api_base=stripe_standin.api_base,
        charge_timeout_s=0.5,
        find_timeout_s=0.5,
    ) as opened:
        yield opened


@pytest.fixture
def wallet(opened: PaymentDatabase, processor: StripeProcessor) -> Wallet:
    return opened.wallet(processor)


def deposit_of(reply: bytes) -> messages.Deposit:
    return messages.CreateDepositResponse.FromString(reply).deposit


async def only_deposit(opened: PaymentDatabase, wallet: Wallet) -> tuple[str, str]:
    """Return id and state of the wallet's one deposit."""
    ((deposit_id, state),) = await opened.rows(
        "select deposit_id, state from deposits where user_id = %s", wallet.user_id
    )
    return deposit_id, state


async def test_a_card_pays(wallet: Wallet, account: StripeAccount) -> None:
    deposit = deposit_of(await wallet.deposit(usd(500)))
    assert deposit.state == messages.DEPOSIT_STATE_SUCCEEDED
    (payment,) = await account.payments(deposit.deposit_id)
    assert (payment["status"], payment["amount"], payment["currency"]) == ("succeeded", 500, "usd")
    assert await wallet.money() == (500, 0)


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
async def test_a_card_is_declined(wallet: Wallet, card: str, decline_code: str) -> None:
    request_id = new_id()
    for _ in range(2):
        with pytest.raises(CardDeclined) as refused:
            await wallet.deposit(usd(500), payment_method_id=card, request_id=request_id)
        assert refused.value.metadata == {"decline_code": decline_code}
    assert await wallet.money() == (0, 0)


async def test_an_unknown_payment_method(wallet: Wallet) -> None:
    with pytest.raises(PaymentMethodUnknown):
        await wallet.deposit(usd(500), payment_method_id="pm_nobody_has_this")


async def test_a_buyer_confirms(wallet: Wallet, account: StripeAccount) -> None:
    request_id = new_id()
    card = "pm_card_authenticationRequired"
    deposit = deposit_of(
        await wallet.deposit(usd(500), payment_method_id=card, request_id=request_id)
    )
    assert deposit.state == messages.DEPOSIT_STATE_REQUIRES_ACTION
    (payment,) = await account.payments(deposit.deposit_id)
    assert deposit.client_secret == payment["client_secret"]
    await account.confirm(payment["id"])
    # No webhook comes: the replay asks.
    again = deposit_of(
        await wallet.deposit(usd(500), payment_method_id=card, request_id=request_id)
    )
    assert again.state == messages.DEPOSIT_STATE_SUCCEEDED
    assert await wallet.money() == (500, 0)


async def test_a_cancelled_payment(
    wallet: Wallet, account: StripeAccount, opened: PaymentDatabase, processor: StripeProcessor
) -> None:
    request_id = new_id()
    card = "pm_card_authenticationRequired"
    deposit = deposit_of(
        await wallet.deposit(usd(500), payment_method_id=card, request_id=request_id)
    )
    (payment,) = await account.payments(deposit.deposit_id)
    await account.cancel(payment["id"])
    await reconcile_deposits(ledger=opened.ledger, processor=processor, idle_s=0)
    assert await only_deposit(opened, wallet) == (deposit.deposit_id, "FAILED")
    again = await wallet.deposit(usd(500), payment_method_id=card, request_id=request_id)
    assert deposit_of(again).state == messages.DEPOSIT_STATE_FAILED


FAULTS = [
    {"fault": "error", "status": 500},
    {"fault": "error", "status": 429},
    {"fault": "error", "status": 409},
    {"fault": "error", "status": 500, "when": "after"},
    {"fault": "timeout"},
    {"fault": "timeout", "when": "after"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_an_unknown_outcome_is_continued_with_one_charge(
    wallet: Wallet, account: StripeAccount, opened: PaymentDatabase, fault: dict[str, object]
) -> None:
    request_id = new_id()
    await account.plan(**fault)
    with pytest.raises(ProcessorUnavailable):
        await wallet.deposit(usd(500), request_id=request_id)
    deposit_id, state = await only_deposit(opened, wallet)
    assert state == "PENDING"
    assert await wallet.money() == (0, 0)
    reply = await wallet.deposit(usd(500), request_id=request_id)
    assert deposit_of(reply).deposit_id == deposit_id
    assert deposit_of(reply).state == messages.DEPOSIT_STATE_SUCCEEDED
    assert len(await account.payments(deposit_id)) == 1
    assert await wallet.money() == (500, 0)


async def test_a_lost_answer_is_found_by_the_reconciler(
    wallet: Wallet, account: StripeAccount, opened: PaymentDatabase, processor: StripeProcessor
) -> None:
    await account.plan(fault="error", status=500, when="after")
    with pytest.raises(ProcessorUnavailable):
        await wallet.deposit(usd(500))
    await asyncio.gather(
        *(reconcile_deposits(ledger=opened.ledger, processor=processor, idle_s=0) for _ in range(3))
    )
    deposit_id, state = await only_deposit(opened, wallet)
    assert state == "SUCCEEDED"
    assert len(await account.payments(deposit_id)) == 1
    assert await wallet.money() == (500, 0)


async def test_a_stripe_that_is_gone(opened: PaymentDatabase, unused_port: int) -> None:
    async with StripeProcessor.open(
        api_key="sk_test_x", api_base=f"http://127.0.0.1:{unused_port}"
    ) as gone:
        wallet = opened.wallet(gone)
        with pytest.raises(ProcessorUnavailable) as refused:
            await wallet.deposit(usd(500))
        assert refused.value.retry_after_s


async def test_a_wrong_api_key_charges_nothing_and_decides_nothing(
    opened: PaymentDatabase, stripe_standin: StripeStandin
) -> None:
    async with StripeProcessor.open(
        api_key="sk_test_wrong", api_base=stripe_standin.api_base
    ) as refused:
        wallet = opened.wallet(refused)
        with pytest.raises(ProcessorUnavailable):
            await wallet.deposit(usd(500))
    assert (await only_deposit(opened, wallet))[1] == "PENDING"


async def test_double_clicks_make_one_payment(wallet: Wallet, account: StripeAccount) -> None:
    request_id = new_id()
    replies = await asyncio.gather(
        *(wallet.deposit(usd(500), request_id=request_id) for _ in range(50))
    )
    assert len(set(replies)) == 1
    assert len(await account.payments(deposit_of(replies[0]).deposit_id)) == 1
    assert await wallet.money() == (500, 0)


@pytest.fixture
def unused_port(port_reservations: PortReservations) -> int:
    return port_reservations.take()
