"""Compares the deposits with what the payment processor says that it took."""

import time
from collections import defaultdict
from typing import Any

import aiohttp

from stack.doctor.checks import Connection, Violation

NAME = "deposits_are_what_the_processor_took"
DESCRIPTION = "Every succeeded deposit is one payment of the same amount at the processor."

_PAGE_SIZE = 100
_TIMEOUT_S = 5.0
_REPORTED_WITHIN_S = 60.0
"""A payment may be on its way to us; the webhook or the reconciler brings it within this."""
_DEPOSITS = """
    select deposit_id, state, payment_id, currency_code, amount_minor from deposits
"""


async def payments(api_base: str, api_key: str) -> list[dict[str, Any]] | None:
    """Return every payment intent of the processor; None when it cannot be reached."""
    found: list[dict[str, Any]] = []
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    query: dict[str, str] = {"limit": str(_PAGE_SIZE)}
    try:
        async with aiohttp.ClientSession(api_base, timeout=timeout) as session:
            while True:
                async with session.get(
                    "/v1/payment_intents",
                    params=query,
                    headers={"Authorization": f"Bearer {api_key}"},
                    raise_for_status=True,
                ) as response:
                    page = await response.json()
                found += page["data"]
                if not page["has_more"]:
                    return found
                query["starting_after"] = found[-1]["id"]
    except (aiohttp.ClientError, TimeoutError):
        return None


async def violations(ledger: Connection, intents: list[dict[str, Any]]) -> list[Violation]:
    """Return the deposits and payments that do not fit each other."""
    paid: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for intent in intents:
        deposit_id = intent["metadata"].get("deposit_id")
        if intent["status"] == "succeeded" and deposit_id is not None:
            paid[deposit_id].append(intent)
    cursor = await ledger.execute(_DEPOSITS)
    found = []
    for deposit_id, state, payment_id, currency_code, amount_minor in await cursor.fetchall():
        taken = paid.pop(str(deposit_id), [])
        expected = [(payment_id, currency_code, amount_minor)] if state == "SUCCEEDED" else []
        if [_facts(intent) for intent in taken] == expected:
            continue
        if state != "SUCCEEDED" and len(taken) == 1 and _is_fresh(taken[0]):
            continue
        what = f"{state} of {amount_minor} {currency_code}, taken {_sum(taken)}"
        found.append(Violation(NAME, f"deposit {deposit_id}", what))
    found += [
        Violation(NAME, f"deposit {deposit_id}", f"there is none, taken {_sum(taken)}")
        for deposit_id, taken in paid.items()
    ]
    return found


def _facts(intent: dict[str, Any]) -> tuple[str, str, int]:
    return intent["id"], intent["currency"].upper(), intent["amount_received"]


def _is_fresh(intent: dict[str, Any]) -> bool:
    created_s: float = intent["created"]
    return time.time() - created_s < _REPORTED_WITHIN_S


def _sum(intents: list[dict[str, Any]]) -> str:
    if not intents:
        return "nothing"
    return " and ".join(f"{amount} {code} as {name}" for name, code, amount in map(_facts, intents))
