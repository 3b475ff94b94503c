import pytest

from stack.amounts import format_amount, parse_amount
from stack.failure import CommandFailed


@pytest.mark.parametrize(
    ("text", "currency_code", "amount_minor"),
    [("12.50", "USD", 1250), ("7", "EUR", 700), ("500", "JPY", 500), ("1.234", "KWD", 1234)],
)
def test_an_amount_is_read_in_minor_units(text: str, currency_code: str, amount_minor: int) -> None:
    assert parse_amount(text, currency_code) == amount_minor


@pytest.mark.parametrize("text", ["", "ten", "1.005", "nan", "inf", "1,50"])
def test_what_is_no_amount_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(CommandFailed, match=r"such as 12\.50"):
        parse_amount(text, "USD")


def test_an_amount_is_written_for_people() -> None:
    assert format_amount(125_000_050, "USD") == "1,250,000.50 USD"
    assert format_amount(500, "JPY") == "500 JPY"
