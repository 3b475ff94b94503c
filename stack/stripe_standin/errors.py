"""Stripe's errors: a status and the JSON object that the SDKs turn into exceptions."""

from typing import Any


class StripeError(Exception):
    """A refusal, in the API's own terms."""

    def __init__(
        self,
        *,
        status: int,
        kind: str,
        message: str,
        code: str = "",
        param: str = "",
        decline_code: str = "",
        payment_intent: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        facts = {
            "type": kind,
            "message": message,
            "code": code,
            "param": param,
            "decline_code": decline_code,
            "payment_intent": payment_intent,
        }
        given = {name: value for name, value in facts.items() if value}
        self.body: dict[str, Any] = {"error": given}


def invalid_request(
    message: str, *, code: str = "", param: str = "", status: int = 400
) -> StripeError:
    """Return the error for a request that can never succeed as it is."""
    return StripeError(
        status=status, kind="invalid_request_error", message=message, code=code, param=param
    )


def resource_missing(noun: str, object_id: str, *, param: str, status: int) -> StripeError:
    """Return the error for an object that does not exist."""
    return invalid_request(
        f"No such {noun}: '{object_id}'", code="resource_missing", param=param, status=status
    )
