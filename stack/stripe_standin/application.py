"""The HTTP side of the stand-in: authentication, faults, idempotency, and the routes."""

import asyncio
import base64
import binascii
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web

from stack.stripe_standin import customers, payment_intents
from stack.stripe_standin.errors import StripeError, invalid_request
from stack.stripe_standin.faults import CallFault, FaultRefused, Faults
from stack.stripe_standin.form import parse_form
from stack.stripe_standin.idempotency import answer_once, fingerprint
from stack.stripe_standin.listing import list_objects, search_objects
from stack.stripe_standin.store import Store, new_id
from stack.stripe_standin.webhooks import WebhookSender

_NEVER_S = 3_600.0
_KEY_LENGTH_MAX = 255
_KEY_PATTERN = re.compile(r"(sk|rk)_test_\w+")

Execute = Callable[[web.Request, dict[str, Any]], dict[str, Any]]


class StripeStandin:
    """One account. `api_key` empty accepts every test key."""

    def __init__(
        self, *, store: Store, faults: Faults, webhooks: WebhookSender | None, api_key: str = ""
    ) -> None:
        self._store = store
        self._faults = faults
        self._webhooks = webhooks
        self._api_key = api_key

    def application(self) -> web.Application:
        """Return the application with all routes."""
        application = web.Application()
        application.cleanup_ctx.append(self._run_webhooks)
        store = self._store
        routes: list[tuple[str, str, Execute]] = [
            ("POST", "/v1/payment_intents", lambda _, form: payment_intents.create(store, form)),
            ("GET", "/v1/payment_intents", lambda r, q: _list(store, r, "payment_intent", q)),
            (
                "GET",
                "/v1/payment_intents/search",
                lambda request, query: search_objects(store, "payment_intent", query, request.path),
            ),
            (
                "GET",
                "/v1/payment_intents/{id}",
                lambda request, _: payment_intents.retrieve(store, request.match_info["id"]),
            ),
            (
                "POST",
                "/v1/payment_intents/{id}/confirm",
                lambda request, form: payment_intents.confirm(
                    store, request.match_info["id"], form
                ),
            ),
            (
                "POST",
                "/v1/payment_intents/{id}/cancel",
                lambda request, form: payment_intents.cancel(store, request.match_info["id"], form),
            ),
            ("POST", "/v1/customers", lambda _, form: customers.create(store, form)),
            (
                "GET",
                "/v1/customers/{id}",
                lambda request, _: customers.retrieve(store, request.match_info["id"]),
            ),
            ("GET", "/v1/events", lambda request, query: _list(store, request, "event", query)),
            ("GET", "/v1/charges", lambda request, query: _list(store, request, "charge", query)),
        ]
        application.router.add_get("/_control", self._show_control)
        application.router.add_post("/_control", self._control)
        for method, path, execute in routes:
            application.router.add_route(method, path, self._handler(execute))
        application.router.add_route("*", "/{path:.*}", self._handler(_unknown_route))
        return application

    def _handler(self, execute: Execute) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            headers = {"Request-Id": new_id("req")}
            try:
                status, body, replayed = await self._call(request, execute)
            except StripeError as error:
                return web.json_response(error.body, status=error.status, headers=headers)
            if replayed:
                headers["Idempotent-Replayed"] = "true"
            return web.Response(
                text=body, status=status, content_type="application/json", headers=headers
            )

        return handle

    async def _call(self, request: web.Request, execute: Execute) -> tuple[int, str, bool]:
        self._authenticate(request)
        key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
        if len(key) > _KEY_LENGTH_MAX:
            raise invalid_request("Idempotency keys have at most 255 characters.")
        text = await request.text() if request.method == "POST" else request.query_string
        parameters = parse_form(text)
        fault = self._faults.take_call_fault()
        if fault is not None and fault.when == "before":
            await _suffer(fault)
        answer = answer_once(
            self._store,
            key,
            fingerprint(request.method, request.path, parameters),
            lambda: execute(request, parameters),
        )
        if self._webhooks is not None:
            self._webhooks.send_owed()
        if fault is not None and fault.when == "after":
            await _suffer(fault)
        return answer

    def _authenticate(self, request: web.Request) -> None:
        key = _key_of(request.headers.get("Authorization", ""))
        known = not self._api_key or hmac.compare_digest(key, self._api_key)
        if not known or _KEY_PATTERN.fullmatch(key) is None:
            raise StripeError(
                status=401,
                kind="invalid_request_error",
                message="Invalid API Key provided." if key else "You did not provide an API key.",
            )

    async def _show_control(self, _request: web.Request) -> web.Response:
        return web.json_response(self._faults.describe())

    async def _control(self, request: web.Request) -> web.Response:
        try:
            self._faults.plan(await request.json())
        except (FaultRefused, json.JSONDecodeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(self._faults.describe())

    async def _run_webhooks(self, _application: web.Application) -> AsyncIterator[None]:
        if self._webhooks is not None:
            await self._webhooks.start()
        yield
        if self._webhooks is not None:
            await self._webhooks.stop()
        self._store.close()


def _list(store: Store, request: web.Request, kind: str, query: dict[str, Any]) -> dict[str, Any]:
    return list_objects(store, kind, query, request.path)


def _unknown_route(request: web.Request, _parameters: dict[str, Any]) -> dict[str, Any]:
    raise invalid_request(
        f"Unrecognized request URL ({request.method}: {request.path}).", status=404
    )


def _key_of(authorization: str) -> str:
    """Return the API key from a Bearer token or the user name of Basic authentication."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


async def _suffer(fault: CallFault) -> None:
    if fault.fault == "delay":
        await asyncio.sleep(fault.seconds)
    elif fault.fault == "timeout":
        await asyncio.sleep(_NEVER_S)
    elif fault.status == web.HTTPTooManyRequests.status_code:
        raise StripeError(
            status=429,
            kind="invalid_request_error",
            code="rate_limit",
            message="Request rate limit exceeded.",
        )
    else:
        raise StripeError(
            status=fault.status, kind="api_error", message="Something went wrong on our side."
        )
