"""Stripe as the payment processor: charges, look-ups, and the events that it sends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import aiohttp
import stripe
import structlog
from prometheus_client import Histogram

from kernel.money import Money
from svc_payment.application.ports import StripeEvent
from svc_payment.domain.deposits import Deposit, DepositState, Failure, ProcessorReport
from svc_payment.domain.errors import ProcessorUnavailable, WebhookSignatureInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

CHARGE_TIMEOUT_S = 8.0
FIND_TIMEOUT_S = 3.0
"""A look-up and a charge together stay below an attempt's lease, and that below the RPC's limit."""

WEBHOOK_TOLERANCE_S = 300

RETRY_AFTER_S = 1.0

_STATES: dict[str, DepositState] = {
    "succeeded": DepositState.SUCCEEDED,
    "requires_action": DepositState.REQUIRES_ACTION,
    "requires_payment_method": DepositState.FAILED,
    "canceled": DepositState.FAILED,
}
"""Deposit states by a PaymentIntent's status; what is not here is still under way."""

_duration_seconds = Histogram(
    "blytz_payment_processor_duration_seconds",
    "How long the processor took, by operation and outcome.",
    ["operation", "outcome"],
)

log = structlog.get_logger(__name__)


class StripeProcessor:
    """The ``PaymentProcessor`` of ``application/ports.py``; use ``StripeProcessor.open``."""

    def __init__(self, *, charging: stripe.StripeClient, finding: stripe.StripeClient) -> None:
        self._charging = charging
        self._finding = finding

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        api_key: str,
        api_base: str = "",
        charge_timeout_s: float = CHARGE_TIMEOUT_S,
        find_timeout_s: float = FIND_TIMEOUT_S,
    ) -> AsyncIterator["StripeProcessor"]:
        """Open the connections to Stripe, or to what speaks its API at ``api_base``."""
        # A client's time limit is that of its connection pool, hence one for each of the two.
        pools = [
            stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=timeout_s))
            for timeout_s in (charge_timeout_s, find_timeout_s)
        ]
        charging, finding = (
            stripe.StripeClient(
                api_key,
                base_addresses={"api": api_base} if api_base else {},
                http_client=pool,
                # Whether to ask again is decided where the idempotency key is known.
                max_network_retries=0,
            )
            for pool in pools
        )
        try:
            yield cls(charging=charging, finding=finding)
        finally:
            for pool in pools:
                await pool.close_async()  # type: ignore[no-untyped-call]

    async def charge(self, deposit: Deposit) -> ProcessorReport:
        """Charge the payment method; the deposit's id is the idempotency key."""
        with _unknown_outcome("charge"):
            try:
                intent = await self._charging.v1.payment_intents.create_async(
                    {
                        "amount": deposit.amount.amount_minor,
                        "currency": deposit.amount.currency_code.lower(),
                        "payment_method": deposit.payment_method_id,
                        "confirm": True,
                        "automatic_payment_methods": {
                            "enabled": True,
                            "allow_redirects": "never",
                        },
                        "metadata": {"deposit_id": deposit.deposit_id},
                    },
                    {"idempotency_key": deposit.deposit_id},
                )
            except stripe.CardError as error:
                return _report_of_decline(error)
            except stripe.InvalidRequestError as error:
                return _report_of_refusal(error)
        return report_of(intent)

    async def find(self, deposit: Deposit) -> ProcessorReport | None:
        """Return what became of a deposit, None if Stripe knows none; charges nothing."""
        with _unknown_outcome("find"):
            intents = self._finding.v1.payment_intents
            if deposit.payment_id:
                return report_of(await intents.retrieve_async(deposit.payment_id))
            found = await intents.search_async(
                {"query": f"metadata['deposit_id']:'{deposit.deposit_id}'", "limit": 1}
            )
        return report_of(found.data[0]) if found.data else None


class StripeWebhook:
    """Reads what Stripe sends, after checking that Stripe sent it."""

    def __init__(self, *, secret: str) -> None:
        self._secret = secret

    def read(self, body: bytes, signature: str) -> StripeEvent | None:
        """Return the event, or None if it is not about a deposit.

        ``WebhookSignatureInvalid`` unless the ``stripe-signature`` header fits the body and the
        secret and is at most ``WEBHOOK_TOLERANCE_S`` old.
        """
        try:
            event = stripe.Webhook.construct_event(
                body, signature, self._secret, tolerance=WEBHOOK_TOLERANCE_S, api_key="unused"
            )
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            raise WebhookSignatureInvalid from error
        intent = event.data.object
        if not isinstance(intent, stripe.PaymentIntent):
            return None
        deposit_id = _deposit_id_of(intent)
        if deposit_id is None:
            return None
        return StripeEvent(
            event_id=event.id,
            event_type=event.type,
            deposit_id=deposit_id,
            report=report_of(intent),
        )


def report_of(intent: stripe.PaymentIntent) -> ProcessorReport:
    """Return what a PaymentIntent says about its deposit."""
    state = _STATES.get(intent.status, DepositState.PENDING)
    failure: Failure | None = None
    failure_code = ""
    if intent.status == "canceled":
        failure, failure_code = Failure.CANCELLED, intent.cancellation_reason or ""
    elif intent.status == "requires_payment_method":
        fault = intent.last_payment_error
        failure = Failure.DECLINED
        failure_code = (fault.decline_code or fault.code or "") if fault else ""
    is_paid = state is DepositState.SUCCEEDED
    return ProcessorReport(
        state=state,
        payment_id=intent.id,
        amount=Money(intent.currency.upper(), intent.amount_received if is_paid else intent.amount),
        client_secret=intent.client_secret or "",
        failure=failure,
        failure_code=failure_code,
    )


def _report_of_decline(error: stripe.CardError) -> ProcessorReport:
    details = error.error
    intent = details.payment_intent if details else None
    return ProcessorReport(
        state=DepositState.FAILED,
        payment_id=intent.id if intent else "",
        failure=Failure.DECLINED,
        failure_code=(details.decline_code if details else None) or error.code or "card_error",
    )


def _report_of_refusal(error: stripe.InvalidRequestError) -> ProcessorReport:
    if error.param == "payment_method":
        return ProcessorReport(state=DepositState.FAILED, failure=Failure.PAYMENT_METHOD_UNKNOWN)
    log.warning("charge_refused", code=error.code, param=error.param, request=error.request_id)
    return ProcessorReport(
        state=DepositState.FAILED,
        failure=Failure.DECLINED,
        failure_code=error.code or "invalid_request",
    )


def _deposit_id_of(intent: stripe.PaymentIntent) -> str | None:
    """Return the deposit that a PaymentIntent was made for, None if it is somebody else's."""
    try:
        return str(UUID(intent.metadata["deposit_id"]))
    except (KeyError, TypeError, ValueError):
        return None


@contextmanager
def _unknown_outcome(operation: str) -> "Iterator[None]":
    """Turn every error that leaves the outcome open into ``ProcessorUnavailable``."""
    try:
        with _duration_seconds.labels(operation, "answered").time():
            yield
    except stripe.StripeError as error:
        log.warning(
            "processor_unavailable",
            operation=operation,
            error=type(error).__name__,
            status=error.http_status,
            code=error.code,
            request=error.request_id,
        )
        raise ProcessorUnavailable(retry_after_s=RETRY_AFTER_S) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        log.warning("processor_unavailable", operation=operation, error=type(error).__name__)
        raise ProcessorUnavailable(retry_after_s=RETRY_AFTER_S) from error
