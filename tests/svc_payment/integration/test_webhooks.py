"""Stripe's webhooks through the real server: signed, once, in any order."""

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from blytz.payment.v1 import wallet_service_pb2 as messages
from fakes.payment_database import PaymentDatabase
from fakes.payment_mesh import PaymentMesh, balance_of, deposit_request, reason_of
from fakes.stripe_account import StripeAccount


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
        assert reason_of(refused.value) == (
            "INVALID_ARGUMENT",
            "WEBHOOK_SIGNATURE_INVALID",
            {},
        )
    assert await opened.rows("select count(*) from stripe_events") == before
    assert await balance_of(mesh, token) == (0, 0, 0)
