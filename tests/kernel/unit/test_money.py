import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import CurrencyMismatchError, Money

amounts = st.integers(-(10**15), 10**15)


@given(amounts, amounts)
def test_money_adds_up_like_its_minor_units(first: int, second: int) -> None:
    one, other = Money("USD", first), Money("USD", second)
    assert one + other == other + one == Money("USD", first + second)
    assert one - other == one + -other
    assert (one < other, one <= other) == (first < second, first <= second)
    assert (one == other) == (first == second)


def test_currencies_do_not_mix() -> None:
    dollar, euro = Money("USD", 1), Money("EUR", 1)
    for mix in (
        lambda: dollar + euro,
        lambda: dollar - euro,
        lambda: dollar < euro,
        lambda: dollar >= euro,
    ):
        with pytest.raises(CurrencyMismatchError, match=r"EUR and USD|USD and EUR"):
            mix()
    assert dollar != euro


def test_money_is_a_value() -> None:
    assert len({Money("USD", 1), Money("USD", 1), Money("USD", 2), Money("EUR", 1)}) == 3
    with pytest.raises(AttributeError):
        Money("USD", 1).amount_minor = 2  # type: ignore[misc]
