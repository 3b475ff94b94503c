import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc_identity.domain.errors import NameInvalid
from svc_identity.domain.normalisation import (
    email_key,
    normalised_display_name,
    normalised_password,
    normalised_shop_name,
)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Ada \t Lovelace ", "Ada Lovelace"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("Ada\u200b", "Ada"),
        ("\u202eadA", "adA"),
        ("\ufeffAda", "Ada"),
        ("\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",) * 2,
    ],
)
def test_a_name_has_one_visible_spelling(typed: str, name: str) -> None:
    assert normalised_display_name(typed) == name
    assert normalised_shop_name(typed) == name


@pytest.mark.parametrize("typed", ["", " ", "\u200b\u200b", "\u200d", "\u3164", "\u2800 \u2060"])
def test_a_name_that_nobody_can_see_is_refused(typed: str) -> None:
    with pytest.raises(NameInvalid) as caught:
        normalised_display_name(typed)
    assert caught.value.field == "display_name"


def test_a_name_that_grows_beyond_its_bound_is_refused() -> None:
    # This letter has no composed form: composing it makes two characters of it.
    with pytest.raises(NameInvalid):
        normalised_display_name("\u0958" * 50)


@given(st.text(min_size=1, max_size=50))
def test_normalising_a_name_twice_changes_nothing(typed: str) -> None:
    try:
        name = normalised_display_name(typed)
    except NameInvalid:
        return
    assert normalised_display_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert 0 < len(name) <= 50


@given(st.text(max_size=60))
def test_a_password_is_the_same_from_every_keyboard(password: str) -> None:
    decomposed = unicodedata.normalize("NFD", password)
    assert normalised_password(decomposed) == normalised_password(password)


def test_a_password_keeps_its_spaces_and_case() -> None:
    assert normalised_password(" Aa  b ") == " Aa  b "
    assert normalised_password("a\u00a0b") == "a b"


@given(st.emails())
def test_an_address_is_the_same_in_any_case(email: str) -> None:
    assert email_key(f" {email.upper()} ") == email_key(email.lower())
