"""Amounts of money as people write and read them."""

from decimal import Decimal, InvalidOperation

from stack.failure import CommandFailed

_FRACTION_DIGITS_DEFAULT = 2
# ISO 4217: the currencies whose minor unit is not a hundredth.
_FRACTION_DIGITS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def parse_amount(text: str, currency_code: str) -> int:
    """Return what ``text``, such as ``12.50``, is in the currency's minor unit."""
    digits = _FRACTION_DIGITS.get(currency_code, _FRACTION_DIGITS_DEFAULT)
    try:
        minor = Decimal(text).scaleb(digits)
        whole = minor.is_finite() and minor == minor.to_integral_value()
    except InvalidOperation:
        whole = False
    if not whole:
        raise CommandFailed(f"{text!r} is no amount of {currency_code}, such as {_like(digits)}.")
    return int(minor)


def format_amount(amount_minor: int, currency_code: str) -> str:
    """Return an amount for people to read, for example ``1,250.00 USD``."""
    digits = _FRACTION_DIGITS.get(currency_code, _FRACTION_DIGITS_DEFAULT)
    return f"{Decimal(amount_minor).scaleb(-digits):,.{digits}f} {currency_code}"


def _like(digits: int) -> str:
    return f"{Decimal(1250).scaleb(-digits):f}"
