"""Customers: whom payments are made for."""

from typing import Any

from stack.stripe_standin.errors import resource_missing
from stack.stripe_standin.form import refuse_unknown
from stack.stripe_standin.store import Store, new_id, now_s

_PARAMETERS = frozenset({"email", "name", "description", "phone", "metadata", "expand"})


def create(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    """Make a customer."""
    refuse_unknown(parameters, _PARAMETERS)
    customer = {
        "id": new_id("cus"),
        "object": "customer",
        "balance": 0,
        "created": now_s(),
        "description": parameters.get("description"),
        "email": parameters.get("email"),
        "livemode": False,
        "metadata": parameters.get("metadata") or {},
        "name": parameters.get("name"),
        "phone": parameters.get("phone"),
    }
    store.put(customer)
    return customer


def retrieve(store: Store, customer_id: str) -> dict[str, Any]:
    """Return a customer; raise StripeError when there is none."""
    customer = store.get("customer", customer_id)
    if customer is None:
        raise resource_missing("customer", customer_id, param="id", status=404)
    return customer
