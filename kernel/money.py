"""Exact amounts of one currency."""

from dataclasses import dataclass
from functools import total_ordering


class CurrencyMismatchError(ValueError):
    """Two amounts of different currencies met in one sum or comparison."""


@total_ordering
@dataclass(frozen=True, slots=True, eq=True)
class Money:
    """An amount in a currency's minor unit; ``Money("USD", 1250)`` is 12.50 USD.

    Sums and comparisons between different currencies raise ``CurrencyMismatchError``.
    """

    currency_code: str
    amount_minor: int

    def __add__(self, other: "Money") -> "Money":
        return Money(self.currency_code, self.amount_minor + self._same_currency(other))

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.currency_code, self.amount_minor - self._same_currency(other))

    def __neg__(self) -> "Money":
        return Money(self.currency_code, -self.amount_minor)

    def __lt__(self, other: "Money") -> bool:
        return self.amount_minor < self._same_currency(other)

    def _same_currency(self, other: "Money") -> int:
        if other.currency_code != self.currency_code:
            raise CurrencyMismatchError(f"{self.currency_code} and {other.currency_code}")
        return other.amount_minor
