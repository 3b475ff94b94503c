"""What a test does at Stripe's end: plan faults, sign webhooks, look at the objects."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
import stripe

from kernel.ids import new_id
from stack.parts.stripe import StripeStandin


class StripeAccount:
    """The stand-in's account."""

    def __init__(self, standin: StripeStandin) -> None:
        self.standin = standin
        self.webhook_secret = standin.webhook_secret

    async def plan(self, **calls: Any) -> None:
        """Make the next calls suffer; without arguments, nothing any more."""
        await self._post_json("/_control", {"calls": calls} if calls else {"reset": True})

    async def payments(self, deposit_id: str) -> list[dict[str, Any]]:
        """Return the PaymentIntents that were made for a deposit."""
        query = urlencode({"query": f"metadata['deposit_id']:'{deposit_id}'"})
        found = await self._call("GET", f"/v1/payment_intents/search?{query}")
        payments: list[dict[str, Any]] = found["data"]
        return payments

    async def confirm(self, payment_id: str) -> None:
        """Finish a payment that waits for its buyer, as the buyer's browser would."""
        await self._call("POST", f"/v1/payment_intents/{payment_id}/confirm")

    async def cancel(self, payment_id: str) -> None:
        await self._call("POST", f"/v1/payment_intents/{payment_id}/cancel")

    async def event(self, deposit_id: str, kind: str) -> bytes:
        """Return the body of an event that tells of a deposit's payment as it is now."""
        (payment,) = await self.payments(deposit_id)
        return event_body(payment, kind=kind)

    def sign(self, body: bytes, *, secret: str = "", age_s: int = 0) -> str:
        """Return the signature header of a body."""
        header: str = stripe.WebhookSignature.generate_signature_header(
            body.decode(), secret or self.webhook_secret, timestamp=int(time.time()) - age_s
        )
        return header

    async def _call(self, method: str, path: str) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession(
                self.standin.api_base, headers={"Authorization": f"Bearer {self.standin.api_key}"}
            ) as session,
            session.request(method, path) as response,
        ):
            body: dict[str, Any] = await response.json()
            assert response.ok, body
            return body

    async def _post_json(self, path: str, body: dict[str, Any]) -> None:
        async with (
            aiohttp.ClientSession(self.standin.api_base) as session,
            session.post(path, json=body) as response,
        ):
            assert response.ok, await response.text()


def event_body(payment: dict[str, Any], *, kind: str) -> bytes:
    """Return an event about a PaymentIntent, as Stripe writes it."""
    event = {
        "id": f"evt_{new_id()}",
        "object": "event",
        "api_version": "2026-10-28.dahlia",
        "created": int(time.time()),
        "data": {"object": payment},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    return json.dumps(event, indent=2).encode()
