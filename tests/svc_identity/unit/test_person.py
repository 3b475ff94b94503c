from fakes.identity_people import START
from svc_identity.domain.events import AccountsLinked, SellerApproved, UserJoined
from svc_identity.domain.person import Person, Role

USER_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
OTHER_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2c"


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


def test_a_link_is_an_event_and_changes_neither_account() -> None:
    ada, bob = joined(), joined()
    bob.user_id = OTHER_ID
    before = (ada.roles, ada.shop_name, bob.roles, bob.shop_name)
    ada.link(bob, linked=True)
    ada.link(bob, linked=False)
    assert ada.events[1:] == [
        AccountsLinked(USER_ID, OTHER_ID, linked=True),
        AccountsLinked(USER_ID, OTHER_ID, linked=False),
    ]
    assert (ada.roles, ada.shop_name, bob.roles, bob.shop_name) == before
    assert bob.events == [UserJoined(USER_ID)]


def test_nothing_personal_is_shown_by_accident() -> None:
    person = joined()
    assert not any(secret in repr(person) for secret in ("ada@example.com", "Ada", "argon2id"))
