"""How much can be lent, given back and spent; and which currencies there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import Money
from svc_payment.domain.bidding_power import allottable, require_allotted
from svc_payment.domain.currencies import Currencies
from svc_payment.domain.errors import (
    REFUSALS,
    AllotmentTooSmall,
    CurrencyNotSupported,
    InsufficientFunds,
    Refusal,
)

amounts = st.integers(1, 1000)


@given(st.integers(0, 1000), amounts, amounts)
def test_as_much_as_the_balance_reaches_but_at_least_the_minimum(
    available_minor: int, wished_minor: int, minimum_minor: int
) -> None:
    available, wished = Money("USD", available_minor), Money("USD", wished_minor)
    minimum = Money("USD", min(minimum_minor, wished_minor))
    if available < minimum:
        with pytest.raises(InsufficientFunds) as refused:
            allottable(available=available, wished=wished, minimum=minimum)
        assert refused.value.metadata == {"available_minor": str(available_minor)}
    else:
        amount = allottable(available=available, wished=wished, minimum=minimum)
        assert amount == min(wished, available)
        assert amount.amount_minor >= minimum.amount_minor


def test_a_shard_cannot_spend_more_than_it_was_lent() -> None:
    require_allotted(allotted=Money("USD", 5), needed=Money("USD", 5))
    with pytest.raises(AllotmentTooSmall) as refused:
        require_allotted(allotted=Money("USD", 4), needed=Money("USD", 5))
    assert refused.value.metadata == {"allotted_minor": "4"}


def test_currencies() -> None:
    currencies = Currencies.parse("USD, EUR")
    currencies.require(Money("EUR", 1))
    with pytest.raises(CurrencyNotSupported) as refused:
        currencies.require(Money("CHF", 1))
    assert refused.value.metadata == {"currency_code": "CHF"}


@pytest.mark.parametrize("text", ["", "usd", "USD,", "EURO", "U$D"])
def test_what_is_no_currency_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="is not a currency code"):
        Currencies.parse(text)


def test_every_refusal_can_be_raised_again_from_its_reason() -> None:
    assert set(REFUSALS.values()) == set(Refusal.__subclasses__())
