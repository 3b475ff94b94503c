"""Delivers events to the webhook, signed, again and again until it is accepted."""

import asyncio
import functools
import hashlib
import hmac
import json
import logging
import time

import aiohttp

from stack.stripe_standin.faults import Faults
from stack.stripe_standin.store import Store

_POST_TIMEOUT_S = 10.0
_RETRY_FIRST_S = 0.5
_RETRY_MAX_S = 30.0
_GIVE_UP_AFTER_ATTEMPTS = 50

_log = logging.getLogger(__name__)


def signature_header(body: bytes, secret: str, *, at_s: int) -> str:
    """Return the `Stripe-Signature` header for a body sent at a time (Unix seconds)."""
    signed = f"{at_s}.".encode() + body
    return f"t={at_s},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class WebhookSender:
    """Sends what is owed; each event has a task of its own, so none waits for another."""

    def __init__(self, *, store: Store, faults: Faults, url: str, secret: str) -> None:
        self._store = store
        self._faults = faults
        self._url = url
        self._secret = secret
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connection and take up what an earlier process still owed."""
        timeout = aiohttp.ClientTimeout(total=_POST_TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout)
        self.send_owed()

    async def stop(self) -> None:
        """Stop sending; what is owed stays owed."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send_owed(self) -> None:
        """Begin to deliver every event that is owed and not under way."""
        for event_id in self._store.owed_webhooks():
            if event_id not in self._tasks:
                task = asyncio.create_task(self._deliver(event_id), name=f"webhook {event_id}")
                self._tasks[event_id] = task
                task.add_done_callback(functools.partial(self._forget, event_id))

    def _forget(self, event_id: str, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(event_id, None)

    async def _deliver(self, event_id: str) -> None:
        await asyncio.sleep(self._faults.webhooks.delay_s)
        copies = 2 if self._faults.webhooks.take_duplicate() else 1
        pause_s = _RETRY_FIRST_S
        for _ in range(_GIVE_UP_AFTER_ATTEMPTS):
            if await self._post(event_id):
                copies -= 1
                if copies == 0:
                    break
                continue
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _RETRY_MAX_S)
        self._store.settle_webhook(event_id)

    async def _post(self, event_id: str) -> bool:
        """Post the event once; tell whether it was accepted."""
        event = self._store.get("event", event_id)
        if event is None or self._session is None:
            return True
        body = json.dumps(event, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (stand-in)",
            "Stripe-Signature": signature_header(body, self._secret, at_s=int(time.time())),
        }
        try:
            async with self._session.post(self._url, data=body, headers=headers) as response:
                accepted = response.ok
                if not accepted:
                    _log.warning("webhook %s was answered %d", event["type"], response.status)
                return accepted
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.warning("webhook %s was not delivered: %s", event["type"], error)
            return False
