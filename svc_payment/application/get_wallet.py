"""Read a person's balances."""

from collections.abc import Sequence

from svc_payment.application.ports import Balances, Ledger


async def get_wallet(user_id: str, *, ledger: Ledger) -> Sequence[Balances]:
    """Return the balances of a person, one a currency, ordered by currency code."""
    return await ledger.balances(user_id)
