import pytest

from stack.stripe_standin.errors import StripeError
from stack.stripe_standin.form import boolean, integer, parse_form, refuse_unknown, required


def test_brackets_make_objects_and_lists() -> None:
    assert parse_form("a=1&b[c]=2&b[d][e]=3&f[]=4&f[]=5&g[0][h]=6") == {
        "a": "1",
        "b": {"c": "2", "d": {"e": "3"}},
        "f": ["4", "5"],
        "g": [{"h": "6"}],
    }


def test_percent_encoding_is_undone_in_names_too() -> None:
    assert parse_form("metadata%5Border%5D=a%26b+c") == {"metadata": {"order": "a&b c"}}


@pytest.mark.parametrize("text", ["[a]=1", "a[b=1", "a[b]c=1", "a=1&a[b]=2"])
def test_a_malformed_name_is_refused(text: str) -> None:
    with pytest.raises(StripeError) as refused:
        parse_form(text)
    assert refused.value.status == 400


def test_parameters_are_checked_as_the_api_checks_them() -> None:
    assert integer({"amount": "-5"}, "amount") == -5
    assert boolean({"confirm": "true"}, "confirm")
    assert not boolean({}, "confirm")
    for check in (
        lambda: integer({"amount": "1.5"}, "amount"),
        lambda: integer({"amount": "9" * 30}, "amount"),
        lambda: required({}, "currency"),
        lambda: boolean({"confirm": "yes"}, "confirm"),
        lambda: refuse_unknown({"amuont": "1"}, frozenset({"amount"})),
    ):
        with pytest.raises(StripeError) as refused:
            check()
        assert refused.value.status == 400
        assert refused.value.body["error"]["param"]
