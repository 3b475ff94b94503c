"""A webhook is taken only as Stripe has signed it, and says what its PaymentIntent says."""

import time
from typing import Any

import pytest
import stripe

from fakes.stripe_account import event_body
from kernel.ids import new_id
from kernel.money import Money
from svc_payment.domain.deposits import DepositState, Failure
from svc_payment.domain.errors import WebhookSignatureInvalid
from svc_payment.infrastructure.stripe_processor import StripeWebhook

SECRET = "whsec_test"
DEPOSIT_ID = new_id()


def payment(**changes: Any) -> dict[str, Any]:
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 500,
        "amount_received": 500,
        "currency": "usd",
        "status": "succeeded",
        "client_secret": "pi_1_secret_2",
        "last_payment_error": None,
        "cancellation_reason": None,
        "metadata": {"deposit_id": DEPOSIT_ID},
    } | changes


def signature_of(body: bytes, *, secret: str = SECRET, age_s: int = 0) -> str:
    header: str = stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, timestamp=int(time.time()) - age_s
    )
    return header


@pytest.fixture
def webhook() -> StripeWebhook:
    return StripeWebhook(secret=SECRET)


def test_a_success(webhook: StripeWebhook) -> None:
    body = event_body(payment(), kind="payment_intent.succeeded")
    event = webhook.read(body, signature_of(body))
    assert event is not None
    assert event.deposit_id == DEPOSIT_ID
    assert event.event_type == "payment_intent.succeeded"
    assert event.report.state is DepositState.SUCCEEDED
    assert event.report.amount == Money("USD", 500)
    assert event.report.payment_id == "pi_1"


@pytest.mark.parametrize(
    ("changes", "state", "failure", "code"),
    [
        ({"status": "processing"}, DepositState.PENDING, None, ""),
        ({"status": "requires_action"}, DepositState.REQUIRES_ACTION, None, ""),
        (
            {
                "status": "requires_payment_method",
                "last_payment_error": {"code": "card_declined", "decline_code": "lost_card"},
            },
            DepositState.FAILED,
            Failure.DECLINED,
            "lost_card",
        ),
        (
            {
                "status": "requires_payment_method",
                "last_payment_error": {"code": "expired_card", "decline_code": None},
            },
            DepositState.FAILED,
            Failure.DECLINED,
            "expired_card",
        ),
        (
            {"status": "canceled", "cancellation_reason": "abandoned"},
            DepositState.FAILED,
            Failure.CANCELLED,
            "abandoned",
        ),
    ],
)
def test_each_status_is_a_state(
    webhook: StripeWebhook,
    changes: dict[str, Any],
    state: DepositState,
    failure: Failure | None,
    code: str,
) -> None:
    body = event_body(payment(amount_received=0, **changes), kind="payment_intent.any")
    event = webhook.read(body, signature_of(body))
    assert event is not None
    assert (event.report.state, event.report.failure, event.report.failure_code) == (
        state,
        failure,
        code,
    )
    assert event.report.amount == Money("USD", 500)


@pytest.mark.parametrize(
    "other",
    [
        {"id": "ch_1", "object": "charge", "amount": 500},
        payment(metadata={}),
        payment(metadata={"deposit_id": "not-ours"}),
    ],
)
def test_what_is_not_about_a_deposit_is_none(webhook: StripeWebhook, other: dict[str, Any]) -> None:
    body = event_body(other, kind="any")
    assert webhook.read(body, signature_of(body)) is None


BODY = event_body(payment(), kind="payment_intent.succeeded")


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (BODY.replace(b"500", b"501"), signature_of(BODY)),
        (BODY + b" ", signature_of(BODY)),
        (BODY, signature_of(BODY, secret="whsec_other")),
        (BODY, signature_of(BODY, age_s=301)),
        (BODY, signature_of(BODY).replace("v1=", "v0=")),
        (BODY, ""),
        (BODY, "t=now,v1=00"),
        (BODY, "nonsense"),
        (b"\xff\xfe", signature_of(BODY)),
        (b"", signature_of(BODY)),
    ],
    ids=[
        "altered",
        "longer",
        "another secret",
        "old",
        "another scheme",
        "unsigned",
        "no time",
        "nonsense",
        "not text",
        "empty",
    ],
)
def test_what_stripe_did_not_sign_is_refused(
    webhook: StripeWebhook, body: bytes, signature: str
) -> None:
    with pytest.raises(WebhookSignatureInvalid):
        webhook.read(body, signature)


def test_a_signature_of_five_minutes_is_still_good(webhook: StripeWebhook) -> None:
    assert webhook.read(BODY, signature_of(BODY, age_s=295)) is not None


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(WebhookSignatureInvalid):
        StripeWebhook(secret="").read(BODY, signature_of(BODY, secret=" "))
