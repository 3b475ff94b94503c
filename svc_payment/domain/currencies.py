"""Which currencies the wallet keeps."""

import re
from dataclasses import dataclass

from kernel.money import Money
from svc_payment.domain.errors import CurrencyNotSupported

_CURRENCY_CODE = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Currencies:
    """The supported currencies, by their ISO 4217 codes."""

    codes: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "Currencies":
        """Read a list such as ``USD,EUR,GBP``; ``ValueError`` names what is no currency code."""
        codes = frozenset(code.strip() for code in text.split(","))
        for code in codes:
            if _CURRENCY_CODE.fullmatch(code) is None:
                raise ValueError(f"{code!r} is not a currency code such as USD")
        return cls(codes)

    def require(self, amount: Money) -> None:
        """Raise ``CurrencyNotSupported`` if the wallet does not keep the amount's currency."""
        if amount.currency_code not in self.codes:
            raise CurrencyNotSupported(currency_code=amount.currency_code)
