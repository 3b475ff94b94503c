from fakes.identity_people import START
from svc_identity.domain.events import SellerApproved, UserJoined
from svc_identity.domain.person import Person, Role

USER_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"


def joined() -> Person:
    return Person.join(
        user_id=USER_ID,
        email="ada@example.com",
        display_name="Ada",
        password_hash="$argon2id$",
        now=START,
    )


def test_joining_is_an_event() -> None:
    assert joined().events == [UserJoined(USER_ID)]


def test_the_first_application_counts() -> None:
    person = joined()
    person.approve_as_seller("Watches")
    person.approve_as_seller("Clocks")
    assert person.roles == {Role.SELLER}
    assert person.shop_name == "Watches"
    assert person.events == [UserJoined(USER_ID), SellerApproved(USER_ID, "Watches")]


def test_nothing_personal_is_shown_by_accident() -> None:
    person = joined()
    assert not any(secret in repr(person) for secret in ("ada@example.com", "Ada", "argon2id"))
