"""PaymentIntents: made, confirmed, succeeded, declined or waiting for the card holder."""

from typing import Any

from stack.stripe_standin.errors import StripeError, invalid_request, resource_missing
from stack.stripe_standin.events import record_event
from stack.stripe_standin.form import boolean, integer, refuse_unknown, required
from stack.stripe_standin.payment_methods import DECLINE_MESSAGES, TEST_CARDS, TestCard
from stack.stripe_standin.store import Store, new_id, now_s

_AMOUNT_MINOR_MIN = 50
_AMOUNT_MINOR_MAX = 99_999_999
_CURRENCY_LENGTH = 3
_METADATA_MAX = 50
_CONFIRMABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
_CREATE_PARAMETERS = frozenset(
    {
        *("amount", "currency", "confirm", "payment_method", "payment_method_types", "metadata"),
        *("automatic_payment_methods", "customer", "description", "return_url", "off_session"),
        *("receipt_email", "setup_future_usage", "statement_descriptor_suffix", "expand"),
    }
)
_CONFIRM_PARAMETERS = frozenset({"payment_method", "return_url", "off_session", "expand"})


def create(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    """Make a PaymentIntent and confirm it if asked to; raise StripeError as the API does."""
    refuse_unknown(parameters, _CREATE_PARAMETERS)
    intent = _new_intent(store, parameters)
    confirmed = boolean(parameters, "confirm")
    if confirmed:
        _require_return_url(intent, parameters)
        _known_card(intent["payment_method"])
    store.put(intent)
    record_event(store, "payment_intent.created", intent)
    return _charge(store, intent) if confirmed else intent


def confirm(store: Store, intent_id: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Confirm a PaymentIntent; one that was authenticated in between succeeds."""
    refuse_unknown(parameters, _CONFIRM_PARAMETERS)
    intent = retrieve(store, intent_id)
    if intent["status"] not in _CONFIRMABLE:
        raise _unexpected_state(intent)
    intent["payment_method"] = parameters.get("payment_method") or intent["payment_method"]
    _require_return_url(intent, parameters)
    _known_card(intent["payment_method"])
    return _charge(store, intent, authenticated=intent["status"] == "requires_action")


def cancel(store: Store, intent_id: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Cancel a PaymentIntent that took no money."""
    refuse_unknown(parameters, frozenset({"cancellation_reason", "expand"}))
    intent = retrieve(store, intent_id)
    if intent["status"] not in _CONFIRMABLE:
        raise _unexpected_state(intent)
    intent |= {
        "status": "canceled",
        "canceled_at": now_s(),
        "cancellation_reason": parameters.get("cancellation_reason"),
        "next_action": None,
    }
    store.put(intent)
    record_event(store, "payment_intent.canceled", intent)
    return intent


def retrieve(store: Store, intent_id: str) -> dict[str, Any]:
    """Return a PaymentIntent; raise StripeError when there is none."""
    intent = store.get("payment_intent", intent_id)
    if intent is None:
        raise resource_missing("payment_intent", intent_id, param="intent", status=404)
    return intent


def _new_intent(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    amount_minor = integer(parameters, "amount")
    if amount_minor < _AMOUNT_MINOR_MIN:
        raise invalid_request(
            "Amount must be at least 50 in the smallest unit of the currency.",
            code="parameter_invalid_integer" if amount_minor < 1 else "amount_too_small",
            param="amount",
        )
    if amount_minor > _AMOUNT_MINOR_MAX:
        raise invalid_request(
            "Amount must be no more than 99999999.", code="amount_too_large", param="amount"
        )
    currency = str(required(parameters, "currency")).lower()
    if len(currency) != _CURRENCY_LENGTH or not currency.isalpha():
        raise invalid_request(f"Invalid currency: {currency}", param="currency")
    customer = parameters.get("customer") or None
    if customer is not None and store.get("customer", customer) is None:
        raise resource_missing("customer", customer, param="customer", status=400)
    intent_id = new_id("pi")
    payment_method = parameters.get("payment_method") or None
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount_minor,
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": _automatic_payment_methods(parameters),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{new_id('s')[2:]}",
        "confirmation_method": "automatic",
        "created": now_s(),
        "currency": currency,
        "customer": customer,
        "description": parameters.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": _metadata(parameters),
        "next_action": None,
        "payment_method": payment_method,
        "payment_method_types": parameters.get("payment_method_types", ["card"]),
        "receipt_email": parameters.get("receipt_email"),
        "setup_future_usage": parameters.get("setup_future_usage"),
        "status": "requires_confirmation" if payment_method else "requires_payment_method",
    }


def _metadata(parameters: dict[str, Any]) -> dict[str, str]:
    metadata = parameters.get("metadata") or {}
    if not isinstance(metadata, dict) or len(metadata) > _METADATA_MAX:
        raise invalid_request("Metadata takes up to 50 names with texts.", param="metadata")
    return metadata


def _automatic_payment_methods(parameters: dict[str, Any]) -> dict[str, Any] | None:
    """Return the setting; automatic is the default unless types are named."""
    if "payment_method_types" in parameters:
        return None
    given = parameters.get("automatic_payment_methods", {"enabled": "true"})
    if not isinstance(given, dict) or not boolean(given, "enabled"):
        return None
    return {"enabled": True, "allow_redirects": given.get("allow_redirects", "always")}


def _require_return_url(intent: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Refuse, as the API does, a confirmation that might redirect and does not say whereto."""
    automatic = intent["automatic_payment_methods"]
    redirects = automatic is not None and automatic["allow_redirects"] == "always"
    if redirects and not parameters.get("return_url"):
        raise invalid_request(
            "This PaymentIntent is configured to accept payment methods that might redirect your "
            "customer; provide a `return_url`, or set "
            "`automatic_payment_methods[allow_redirects]` to `never`."
        )


def _known_card(payment_method: str | None) -> TestCard:
    if not payment_method:
        raise invalid_request(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    card = TEST_CARDS.get(payment_method)
    if card is None:
        raise resource_missing("PaymentMethod", payment_method, param="payment_method", status=400)
    return card


def _charge(store: Store, intent: dict[str, Any], *, authenticated: bool = False) -> dict[str, Any]:
    card = _known_card(intent["payment_method"])
    if card.decline_code:
        raise _decline(store, intent, card)
    if card.needs_authentication and not authenticated:
        intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk"}}
        store.put(intent)
        record_event(store, "payment_intent.requires_action", intent)
        return intent
    charge_id = _record_charge(store, intent, card)
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "latest_charge": charge_id,
        "last_payment_error": None,
        "next_action": None,
    }
    store.put(intent)
    record_event(store, "payment_intent.succeeded", intent)
    return intent


def _record_charge(store: Store, intent: dict[str, Any], card: TestCard) -> str:
    charge_id = new_id("ch")
    store.put(
        {
            "id": charge_id,
            "object": "charge",
            "amount": intent["amount"],
            "currency": intent["currency"],
            "created": now_s(),
            "livemode": False,
            "metadata": intent["metadata"],
            "paid": not card.decline_code,
            "payment_intent": intent["id"],
            "payment_method": intent["payment_method"],
            "payment_method_details": {
                "type": "card",
                "card": {"brand": card.brand, "last4": card.last4},
            },
            "status": "failed" if card.decline_code else "succeeded",
        }
    )
    return charge_id


def _decline(store: Store, intent: dict[str, Any], card: TestCard) -> StripeError:
    """Record the refused charge and return the error that tells of it."""
    message = DECLINE_MESSAGES[card.decline_code]
    intent |= {
        "status": "requires_payment_method",
        "latest_charge": _record_charge(store, intent, card),
        "last_payment_error": {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": card.decline_code,
            "message": message,
        },
        "payment_method": None,
        "next_action": None,
    }
    store.put(intent)
    record_event(store, "payment_intent.payment_failed", intent)
    return StripeError(
        status=402,
        kind="card_error",
        code="card_declined",
        decline_code=card.decline_code,
        message=message,
        payment_intent=intent,
    )


def _unexpected_state(intent: dict[str, Any]) -> StripeError:
    return invalid_request(
        f"This PaymentIntent's status is {intent['status']}; it cannot be changed any more.",
        code="payment_intent_unexpected_state",
        param="intent",
    )
