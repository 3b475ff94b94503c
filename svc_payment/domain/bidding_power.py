"""How much bidding power a person can get, give back or spend."""

from kernel.money import Money
from svc_payment.domain.errors import AllotmentTooSmall, InsufficientFunds


def allottable(*, available: Money, wished: Money, minimum: Money) -> Money:
    """Return the wished amount as far as the balance reaches.

    ``InsufficientFunds`` if that is less than ``minimum``.
    """
    if available < minimum:
        raise InsufficientFunds(available_minor=available.amount_minor)
    return min(available, wished)


def require_allotted(*, allotted: Money, needed: Money) -> None:
    """Raise ``AllotmentTooSmall`` if a shard would give back or spend more than it was lent."""
    if allotted < needed:
        raise AllotmentTooSmall(allotted_minor=allotted.amount_minor)
