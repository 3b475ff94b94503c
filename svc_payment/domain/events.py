"""What the wallet tells the others."""

from dataclasses import dataclass
from datetime import datetime

from kernel.money import Money


@dataclass(frozen=True, kw_only=True)
class PaymentSucceeded:
    """Money came in: the first and only event of its deposit. The time is the database's."""

    deposit_id: str
    user_id: str
    amount: Money
    occurred_at: datetime
