import pytest

from kernel.errors import (
    BlytzError,
    DependencyUnavailable,
    ErrorKind,
    Overloaded,
    PageTokenInvalid,
    RequestIdReused,
)


class ParcelTooHeavy(BlytzError):
    """The parcel weighs {weight_g} g,
    and {courier} takes less.
    """

    kind = ErrorKind.PRECONDITION
    reason = "PARCEL_TOO_HEAVY"
    public_facts = frozenset({"weight_g", "courier"})


def test_the_docstring_is_the_message() -> None:
    error = ParcelTooHeavy(weight_g=40_000, courier="{Ann}")
    assert error.message == str(error) == "The parcel weighs 40000 g,\nand {Ann} takes less."


def test_facts_are_attributes_and_only_public_ones_leave() -> None:
    error = ParcelTooHeavy(weight_g=40_000, courier="Ann", sender="Bob")
    assert error.facts == {"weight_g": 40_000, "courier": "Ann", "sender": "Bob"}
    assert getattr(error, "sender", None) == "Bob"
    assert error.metadata == {"weight_g": "40000", "courier": "Ann"}


def test_a_fact_that_the_message_needs_cannot_be_left_out() -> None:
    with pytest.raises(KeyError):
        ParcelTooHeavy(courier="Ann")


def test_when_to_come_back_is_known_or_not() -> None:
    assert Overloaded().retry_after_s is None
    assert Overloaded(retry_after_s=0.5).retry_after_s == 0.5


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (RequestIdReused(), ErrorKind.INVALID, "REQUEST_ID_REUSED"),
        (Overloaded(), ErrorKind.EXHAUSTED, "OVERLOADED"),
        (
            DependencyUnavailable(dependency="postgres"),
            ErrorKind.UNAVAILABLE,
            "DEPENDENCY_UNAVAILABLE",
        ),
        (PageTokenInvalid(), ErrorKind.INVALID, "PAGE_TOKEN_INVALID"),
        (BlytzError(), ErrorKind.INTERNAL, "INTERNAL"),
    ],
)
def test_common_errors_have_their_kind_and_reason(
    error: BlytzError, kind: ErrorKind, reason: str
) -> None:
    assert (error.kind, error.reason) == (kind, reason)
