"""The stand-in of Stripe, spoken to by Stripe's own SDK."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import stripe
from aiohttp import web
from aiohttp.test_utils import TestServer

from stack.stripe_standin.application import StripeStandin
from stack.stripe_standin.faults import Faults
from stack.stripe_standin.store import Store
from stack.stripe_standin.webhooks import WebhookSender

API_KEY = "sk_test_a1b2c3"
WEBHOOK_SECRET = "whsec_test"


@dataclass
class Hook:
    """A webhook that checks signatures and can refuse."""

    events: list[stripe.Event] = field(default_factory=list)
    refusals: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=500)
        body = await request.read()
        signature = request.headers["Stripe-Signature"]
        self.events.append(stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET))
        self.arrived.set()
        return web.Response()

    async def await_types(self, *types: str) -> None:
        async with asyncio.timeout(10):
            while len(self.events) < len(types):
                self.arrived.clear()
                await self.arrived.wait()
        assert [event.type for event in self.events] == list(types)


@dataclass
class Account:
    url: str
    client: stripe.StripeClient
    hook: Hook

    async def control(self, **plan: Any) -> None:
        async with aiohttp.ClientSession() as session:
            answer = await session.post(f"{self.url}/_control", json=plan)
            assert answer.status == 200, await answer.text()

    async def pay(
        self, *, amount: int = 2_500, method: str = "pm_card_visa", key: str = ""
    ) -> stripe.PaymentIntent:
        return await self.client.v1.payment_intents.create_async(
            {
                "amount": amount,
                "currency": "usd",
                "confirm": True,
                "payment_method": method,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "metadata": {"deposit_id": "d-1"},
            },
            {"idempotency_key": key} if key else {},
        )


Open = Callable[[], Any]


@pytest.fixture
def open_account(tmp_path: Path) -> Open:
    """Opens the account of one data file; opened again, it is the stand-in after a restart."""
    hook = Hook()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Account]:
        receiver = web.Application()
        receiver.router.add_post("/webhooks/stripe", hook.receive)
        async with TestServer(receiver) as hook_server:
            store, faults = Store(tmp_path / "objects.sqlite"), Faults()
            webhooks = WebhookSender(
                store=store,
                faults=faults,
                url=str(hook_server.make_url("/webhooks/stripe")),
                secret=WEBHOOK_SECRET,
            )
            standin = StripeStandin(store=store, faults=faults, webhooks=webhooks, api_key=API_KEY)
            async with TestServer(standin.application()) as server:
                url = str(server.make_url("")).rstrip("/")
                http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=3))
                client = stripe.StripeClient(
                    API_KEY, base_addresses={"api": url}, http_client=http, max_network_retries=0
                )
                try:
                    yield Account(url=url, client=client, hook=hook)
                finally:
                    await http.close_async()  # type: ignore[no-untyped-call]

    return opened


@pytest.fixture
async def account(open_account: Open) -> AsyncIterator[Account]:
    async with open_account() as opened:
        yield opened


async def test_a_visa_pays_and_the_webhook_says_so(account: Account) -> None:
    intent = await account.pay()
    assert intent.status == "succeeded"
    assert intent.amount_received == 2_500
    assert intent.metadata["deposit_id"] == "d-1"
    await account.hook.await_types("payment_intent.created", "payment_intent.succeeded")
    told = account.hook.events[1].data.object
    assert (told["id"], told["status"]) == (intent.id, "succeeded")


@pytest.mark.parametrize(
    ("method", "decline_code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
async def test_a_declined_card_is_a_card_error_with_its_intent(
    account: Account, method: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await account.pay(method=method)
    error = declined.value
    assert (error.http_status, error.code) == (402, "card_declined")
    assert error.error is not None
    assert error.error.decline_code == decline_code
    assert error.error.payment_intent is not None
    assert error.error.payment_intent.status == "requires_payment_method"
    await account.hook.await_types("payment_intent.created", "payment_intent.payment_failed")


async def test_authentication_comes_before_success(account: Account) -> None:
    intent = await account.pay(method="pm_card_authenticationRequired")
    assert intent.status == "requires_action"
    assert intent.amount_received == 0
    done = await account.client.v1.payment_intents.confirm_async(intent.id)
    assert done.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await account.client.v1.payment_intents.confirm_async(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_an_unknown_method_or_intent_is_missing(account: Account) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await account.pay(method="pm_card_nobody")
    assert (refused.value.code, refused.value.param) == ("resource_missing", "payment_method")
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await account.client.v1.payment_intents.retrieve_async("pi_nothing")
    assert missing.value.http_status == 404


@pytest.mark.parametrize("amount", [-5, 0, 49, 100_000_000])
async def test_an_amount_out_of_bounds_is_refused(account: Account, amount: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await account.pay(amount=amount)
    assert refused.value.param == "amount"
    assert account.hook.events == []


async def test_a_key_repeated_gives_the_first_answer_and_no_second_charge(
    account: Account,
) -> None:
    first = await account.pay(key="deposit-1")
    second = await account.pay(key="deposit-1")
    assert first.id == second.id
    charges = await account.client.v1.charges.list_async()
    assert len(charges.data) == 1
    with pytest.raises(stripe.IdempotencyError) as refused:
        await account.pay(amount=2_501, key="deposit-1")
    assert refused.value.http_status == 400


async def test_fifty_at_once_with_one_key_are_one_charge(account: Account) -> None:
    intents = await asyncio.gather(*(account.pay(key="double-click") for _ in range(50)))
    assert len({intent.id for intent in intents}) == 1
    assert len((await account.client.v1.charges.list_async()).data) == 1


async def test_a_wrong_key_is_refused(account: Account) -> None:
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"Authorization": "Bearer sk_test_other"}):
            answer = await session.get(f"{account.url}/v1/events", headers=headers)
            assert answer.status == 401
        headers = {"Authorization": aiohttp.encode_basic_auth(API_KEY, "")}
        assert (await session.get(f"{account.url}/v1/events", headers=headers)).status == 200


async def test_search_finds_an_intent_by_its_metadata(account: Account) -> None:
    intent = await account.pay()
    intents = account.client.v1.payment_intents
    found = await intents.search_async({"query": "metadata['deposit_id']:'d-1'", "limit": 1})
    assert [each.id for each in found.data] == [intent.id]
    none = await intents.search_async({"query": "metadata['deposit_id']:'d-2'"})
    assert none.data == []


async def test_events_are_listed_newest_first(account: Account) -> None:
    await account.pay()
    events = await account.client.v1.events.list_async({"limit": 1})
    assert [event.type for event in events.data] == ["payment_intent.succeeded"]
    assert events.has_more
    older = await account.client.v1.events.list_async({"starting_after": events.data[0].id})
    assert [event.type for event in older.data] == ["payment_intent.created"]


async def test_customers_can_be_made_and_paid_for(account: Account) -> None:
    customer = await account.client.v1.customers.create_async(
        {"name": "Ada", "metadata": {"a": "b"}}
    )
    assert customer.metadata is not None
    assert customer.metadata["a"] == "b"
    again = await account.client.v1.customers.retrieve_async(customer.id)
    assert again.name == "Ada"


async def test_planned_faults_come_before_or_after_the_effect(account: Account) -> None:
    await account.control(calls={"fault": "error", "status": 500, "count": 1})
    with pytest.raises(stripe.APIError):
        await account.pay(key="k")
    assert (await account.client.v1.charges.list_async()).data == []

    await account.control(calls={"fault": "error", "status": 500, "when": "after"})
    with pytest.raises(stripe.APIError):
        await account.pay(key="k")
    assert (await account.pay(key="k")).status == "succeeded"
    assert len((await account.client.v1.charges.list_async()).data) == 1

    await account.control(calls={"fault": "error", "status": 429})
    with pytest.raises(stripe.RateLimitError):
        await account.pay()

    await account.control(calls={"fault": "timeout", "when": "after"})
    with pytest.raises((stripe.APIConnectionError, TimeoutError)):
        await account.pay(key="lost")
    assert (await account.pay(key="lost")).status == "succeeded"


async def test_a_refused_webhook_comes_again_and_a_planned_one_twice(account: Account) -> None:
    account.hook.refusals = 1
    await account.client.v1.customers.create_async({})
    await account.control(webhooks={"duplicates": 1})
    await account.client.v1.payment_intents.create_async({"amount": 100, "currency": "usd"})
    await account.hook.await_types("payment_intent.created", "payment_intent.created")
    assert len({event.id for event in account.hook.events}) == 1


async def test_an_unknown_fault_is_refused(account: Account) -> None:
    async with aiohttp.ClientSession() as session:
        plans: list[dict[str, Any]] = [{"calls": {"fault": "fire"}}, {"call": {}}]
        for plan in (*plans, {"webhooks": {"x": 1}}):
            answer = await session.post(f"{account.url}/_control", json=plan)
            assert answer.status == 400


async def test_everything_survives_a_restart(open_account: Open) -> None:
    async with open_account() as account:
        account.hook.refusals = 100
        first = await account.pay(key="deposit-1")
    async with open_account() as account:
        account.hook.refusals = 0
        assert (await account.pay(key="deposit-1")).id == first.id
        await account.hook.await_types("payment_intent.created", "payment_intent.succeeded")
