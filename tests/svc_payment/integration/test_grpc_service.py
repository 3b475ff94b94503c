"""The wallet through its real server: mTLS, the contract's rules, Stripe and its webhooks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from fakes.payment_database import PaymentDatabase
from fakes.payment_mesh import PaymentMesh, reason_of, serving
from fakes.stripe_account import StripeAccount
from google.api.httpbody_pb2 import HttpBody

from blytz.common.v1.money_pb2 import Money
from blytz.payment.v1 import wallet_service_pb2 as messages
from kernel.ids import new_id
from stack.certificates import ensure_certificates
from stack.parts.stripe import StripeStandin
from stack.ports import PortReservations
from svc_payment.settings import PaymentSettings

INVALID_SIGNATURE = ("INVALID_ARGUMENT", "WEBHOOK_SIGNATURE_INVALID", {})


@pytest.fixture(scope="module")
def tls_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    ensure_certificates(folder)
    return folder


@pytest.fixture
async def mesh(
    payment_url: str,
    kafka_bootstrap: str,
    stripe_standin: StripeStandin,
    tls_folder: Path,
    port_reservations: PortReservations,
) -> AsyncIterator[PaymentMesh]:
    settings = PaymentSettings(
        grpc_address=f"127.0.0.1:{port_reservations.take()}",
        admin_address="",
        tls_dir=tls_folder / "payment",
        postgres_url=payment_url,
        kafka_bootstrap=kafka_bootstrap,
        stripe_api_key=stripe_standin.api_key,
        stripe_api_base=stripe_standin.api_base,
        stripe_webhook_secret=stripe_standin.webhook_secret,
    )
    async with serving(settings, tls_folder=tls_folder) as mesh:
        yield mesh


@pytest.fixture
def account(stripe_standin: StripeStandin) -> StripeAccount:
    return StripeAccount(stripe_standin)


def usd(amount_minor: int) -> Money:
    return Money(currency_code="USD", amount_minor=amount_minor)


def deposit_request(
    *,
    amount: Money | None = None,
    card: str = "pm_card_visa",
    request_id: str = "",
) -> messages.CreateDepositRequest:
    return messages.CreateDepositRequest(
        request_id=request_id or new_id(), amount=amount or usd(1000), payment_method_id=card
    )


async def balance_of(mesh: PaymentMesh, token: grpc.aio.Metadata) -> tuple[int, int, int]:
    wallet = await mesh.wallet.GetWallet(messages.GetWalletRequest(), metadata=token)
    if not wallet.balances:
        return 0, 0, 0
    (balance,) = wallet.balances
    return (
        balance.available.amount_minor,
        balance.bidding_power.amount_minor,
        balance.pending_earnings.amount_minor,
    )


async def test_from_deposit_to_earnings(mesh: PaymentMesh, opened: PaymentDatabase) -> None:
    user_id, token = mesh.person()
    seller_id, sellers_token = mesh.person()
    request = deposit_request()
    first = await mesh.wallet.CreateDeposit(request, metadata=token)
    assert first.deposit.state == messages.DEPOSIT_STATE_SUCCEEDED
    assert await mesh.wallet.CreateDeposit(request, metadata=token) == first
    allot = messages.AllotBiddingPowerRequest(
        request_id=new_id(), user_id=user_id, shard=9, amount=usd(5000), minimum=usd(400)
    )
    allotted = await mesh.auctions_wallet.AllotBiddingPower(allot)
    assert allotted.allotted == usd(1000)
    assert await mesh.auctions_wallet.AllotBiddingPower(allot) == allotted
    await mesh.auctions_wallet.ReturnBiddingPower(
        messages.ReturnBiddingPowerRequest(
            request_id=new_id(), user_id=user_id, shard=9, amount=usd(300)
        )
    )
    settle = messages.SettleWinRequest(
        request_id=new_id(),
        auction_id=new_id(shard=9),
        winner_id=user_id,
        seller_id=seller_id,
        shard=9,
        hammer_price=usd(650),
    )
    await mesh.auctions_wallet.SettleWin(settle)
    await mesh.auctions_wallet.SettleWin(settle)
    assert await balance_of(mesh, token) == (300, 50, 0)
    assert await balance_of(mesh, sellers_token) == (0, 0, 650)
    settle.request_id = new_id()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await mesh.auctions_wallet.SettleWin(settle)
    assert reason_of(refused.value) == ("ALREADY_EXISTS", "AUCTION_SETTLED", {})


async def test_ids_are_the_same_in_capitals(mesh: PaymentMesh) -> None:
    user_id, token = mesh.person()
    await mesh.wallet.CreateDeposit(deposit_request(), metadata=token)
    await mesh.auctions_wallet.AllotBiddingPower(
        messages.AllotBiddingPowerRequest(
            request_id=new_id().upper(),
            user_id=user_id.upper(),
            shard=0,
            amount=usd(100),
            minimum=usd(100),
        )
    )
    assert await balance_of(mesh, token) == (900, 100, 0)


@pytest.mark.parametrize(
    ("request_message", "expected"),
    [
        (
            deposit_request(amount=Money(currency_code="CHF", amount_minor=1000)),
            ("INVALID_ARGUMENT", "CURRENCY_NOT_SUPPORTED", {"currency_code": "CHF"}),
        ),
        (deposit_request(amount=usd(0)), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (deposit_request(amount=usd(-100)), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (deposit_request(amount=usd(2**62)), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (deposit_request(request_id="7"), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (deposit_request(card="4242424242424242"), ("INVALID_ARGUMENT", "INVALID_REQUEST", {})),
        (
            deposit_request(card="pm_card_chargeDeclined"),
            ("FAILED_PRECONDITION", "CARD_DECLINED", {"decline_code": "generic_decline"}),
        ),
        (
            deposit_request(card="pm_card_nobody"),
            ("INVALID_ARGUMENT", "PAYMENT_METHOD_UNKNOWN", {}),
        ),
    ],
)
async def test_a_refused_deposit(
    mesh: PaymentMesh,
    request_message: messages.CreateDepositRequest,
    expected: tuple[str, str, dict[str, str]],
) -> None:
    _, token = mesh.person()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await mesh.wallet.CreateDeposit(request_message, metadata=token)
    assert reason_of(refused.value) == expected
    assert await balance_of(mesh, token) == (0, 0, 0)


async def test_a_request_id_with_another_body(mesh: PaymentMesh) -> None:
    _, token = mesh.person()
    request = deposit_request()
    await mesh.wallet.CreateDeposit(request, metadata=token)
    request.amount.amount_minor += 1
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await mesh.wallet.CreateDeposit(request, metadata=token)
    assert reason_of(refused.value)[:2] == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    assert await balance_of(mesh, token) == (1000, 0, 0)


async def test_another_persons_request_id_is_another_command(mesh: PaymentMesh) -> None:
    request = deposit_request()
    deposit_ids = set()
    for _ in range(2):
        _, token = mesh.person()
        response = await mesh.wallet.CreateDeposit(request, metadata=token)
        deposit_ids.add(response.deposit.deposit_id)
        assert await balance_of(mesh, token) == (1000, 0, 0)
    assert len(deposit_ids) == 2


async def test_who_may_call(mesh: PaymentMesh) -> None:
    user_id, token = mesh.person()
    allot = messages.AllotBiddingPowerRequest(
        request_id=new_id(), user_id=user_id, amount=usd(1), minimum=usd(1)
    )
    calls: list[tuple[Any, str, str]] = [
        (
            mesh.wallet.GetWallet(messages.GetWalletRequest()),
            "UNAUTHENTICATED",
            "TOKEN_MISSING",
        ),
        (mesh.wallet.CreateDeposit(deposit_request()), "UNAUTHENTICATED", "TOKEN_MISSING"),
        (
            mesh.wallet.AllotBiddingPower(allot, metadata=token),
            "PERMISSION_DENIED",
            "CALLER_NOT_ALLOWED",
        ),
        (
            mesh.auctions_wallet.GetWallet(messages.GetWalletRequest(), metadata=token),
            "PERMISSION_DENIED",
            "CALLER_NOT_ALLOWED",
        ),
    ]
    for call, status, reason in calls:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert reason_of(refused.value)[:2] == (status, reason)


async def test_no_funds(mesh: PaymentMesh) -> None:
    user_id, token = mesh.person()
    await mesh.wallet.CreateDeposit(deposit_request(), metadata=token)
    request = messages.AllotBiddingPowerRequest(
        request_id=new_id(), user_id=user_id, amount=usd(2000), minimum=usd(1001)
    )
    for _ in range(2):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await mesh.auctions_wallet.AllotBiddingPower(request)
        assert reason_of(refused.value) == (
            "FAILED_PRECONDITION",
            "INSUFFICIENT_FUNDS",
            {"available_minor": "1000"},
        )


async def send(mesh: PaymentMesh, body: bytes, signature: str) -> None:
    await mesh.payment.HandleStripeWebhook(
        HttpBody(content_type="application/json", data=body),
        metadata=grpc.aio.Metadata(("stripe-signature", signature)),
    )


async def pending(mesh: PaymentMesh, token: grpc.aio.Metadata) -> str:
    """Make a deposit that waits for its buyer."""
    response = await mesh.wallet.CreateDeposit(
        deposit_request(card="pm_card_authenticationRequired"), metadata=token
    )
    assert response.deposit.state == messages.DEPOSIT_STATE_REQUIRES_ACTION
    assert response.deposit.client_secret
    return str(response.deposit.deposit_id)


async def test_a_webhook_credits_once(
    mesh: PaymentMesh, account: StripeAccount, opened: PaymentDatabase
) -> None:
    _, token = mesh.person()
    deposit_id = await pending(mesh, token)
    (payment,) = await account.payments(deposit_id)
    await account.confirm(payment["id"])
    body = await account.event(deposit_id, "payment_intent.succeeded")
    for _ in range(2):
        await send(mesh, body, account.sign(body))
    later = await account.event(deposit_id, "payment_intent.succeeded")
    await send(mesh, later, account.sign(later))
    assert await balance_of(mesh, token) == (1000, 0, 0)
    assert await opened.rows(
        "select count(*) from outbox where partition_key = %s", deposit_id
    ) == [(1,)]


async def test_webhooks_in_the_wrong_order_end_in_the_same_state(
    mesh: PaymentMesh, account: StripeAccount, opened: PaymentDatabase
) -> None:
    _, token = mesh.person()
    deposit_id = await pending(mesh, token)
    (payment,) = await account.payments(deposit_id)
    early = await account.event(deposit_id, "payment_intent.requires_action")
    await account.confirm(payment["id"])
    late = await account.event(deposit_id, "payment_intent.succeeded")
    for body in (late, early):
        await send(mesh, body, account.sign(body))
    assert await balance_of(mesh, token) == (1000, 0, 0)
    assert await opened.rows(
        "select state, client_secret from deposits where deposit_id = %s", deposit_id
    ) == [("SUCCEEDED", "")]


async def test_a_forged_webhook_writes_nothing(
    mesh: PaymentMesh, account: StripeAccount, opened: PaymentDatabase
) -> None:
    _, token = mesh.person()
    deposit_id = await pending(mesh, token)
    (payment,) = await account.payments(deposit_id)
    await account.confirm(payment["id"])
    body = await account.event(deposit_id, "payment_intent.succeeded")
    forged = [
        (body.replace(b"1000", b"9000"), account.sign(body)),
        (body, account.sign(body, secret="whsec_other")),
        (body, account.sign(body, age_s=301)),
        (body, ""),
    ]
    before = await opened.rows("select count(*) from stripe_events")
    for altered, signature in forged:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await send(mesh, altered, signature)
        assert reason_of(refused.value) == INVALID_SIGNATURE
    assert await opened.rows("select count(*) from stripe_events") == before
    assert await balance_of(mesh, token) == (0, 0, 0)


async def test_a_paid_deposit_reaches_kafka(mesh: PaymentMesh, opened: PaymentDatabase) -> None:
    _, token = mesh.person()
    response = await mesh.wallet.CreateDeposit(deposit_request(), metadata=token)
    async with asyncio.timeout(20):
        while await opened.rows(
            "select from outbox where partition_key = %s and sent_at is null",
            response.deposit.deposit_id,
        ):
            await asyncio.sleep(0.05)
