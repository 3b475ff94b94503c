"""Events: what happened to an object, as it was then; each is owed to the webhook."""

import copy
from typing import Any

from stack.stripe_standin.store import Store, new_id, now_s

API_VERSION = "2026-10-28.dahlia"


def record_event(store: Store, kind: str, body: dict[str, Any]) -> None:
    """Record an event about an object."""
    event: dict[str, Any] = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now_s(),
        "data": {"object": copy.deepcopy(body)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    store.put(event)
    store.owe_webhook(event["id"])
