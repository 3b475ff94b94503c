"""Idempotency keys: the first answer to a key is the answer to every repetition."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from stack.stripe_standin.errors import StripeError
from stack.stripe_standin.store import Store

_VALIDATION_STATUS = 400


def fingerprint(method: str, path: str, parameters: dict[str, Any]) -> str:
    """Return what two requests with one key must have in common."""
    text = json.dumps([method, path, parameters], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def answer_once(
    store: Store, key: str, request_fingerprint: str, execute: Callable[[], dict[str, Any]]
) -> tuple[int, str, bool]:
    """Return status, body and whether it is a replay; execute only at the key's first use.

    An answer is kept once the call began to have effects: a declined card too, but no refused
    parameter. The effects and the kept answer are one transaction.
    """
    first = store.answer_to(key) if key else None
    if first is not None:
        known_fingerprint, status, body = first
        if known_fingerprint != request_fingerprint:
            raise StripeError(
                status=400,
                kind="idempotency_error",
                message="Keys for idempotent requests can only be used with the same parameters "
                f"they were first used with. Try using a key other than '{key}' if you meant to "
                "execute a different request.",
            )
        return status, body, True
    with store.transaction():
        try:
            status, body = 200, json.dumps(execute(), indent=2)
        except StripeError as error:
            if error.status == _VALIDATION_STATUS:
                raise
            status, body = error.status, json.dumps(error.body, indent=2)
        if key:
            store.keep_answer(key, request_fingerprint, status, body)
    return status, body, False
