from datetime import timedelta

import pytest

from fakes.identity_people import (
    FakeAccessTokens,
    FakePasswords,
    FakePeople,
    FakeSignInAttempts,
)
from kernel.ids import new_id
from svc_identity.application.apply_as_seller import ApplyAsSeller, ApplyAsSellerCommand
from svc_identity.application.get_me import GetMe
from svc_identity.application.log_in import LogIn, LogInCommand
from svc_identity.application.refresh_session import RefreshSession, RefreshSessionCommand
from svc_identity.application.register import Register, RegisterCommand
from svc_identity.application.session import Session
from svc_identity.domain.errors import (
    CredentialsInvalid,
    EmailTaken,
    NameInvalid,
    RefreshTokenInvalid,
    RefreshTokenReused,
    TooManyAttempts,
    UserNotFound,
)
from svc_identity.domain.events import SellerApproved, UserJoined
from svc_identity.domain.person import Role
from svc_identity.domain.sign_in import REFRESH_TOKEN_LIFETIME

EMAIL, PASSWORD, ADDRESS = "Ada@example.com", "correct horse", "192.0.2.7"


class Identity:
    """The use cases on fakes."""

    def __init__(self) -> None:
        self.people = FakePeople()
        self.passwords = FakePasswords()
        tokens = FakeAccessTokens()
        attempts = FakeSignInAttempts(self.people)
        self.register = Register(people=self.people, passwords=self.passwords, tokens=tokens)
        self.log_in = LogIn(
            people=self.people, attempts=attempts, passwords=self.passwords, tokens=tokens
        )
        self.refresh_session = RefreshSession(people=self.people, tokens=tokens)
        self.get_me = GetMe(people=self.people)
        self.apply_as_seller = ApplyAsSeller(people=self.people)

    async def ada(self) -> Session:
        return await self.register(
            RegisterCommand(email=EMAIL, password=PASSWORD, display_name=" Ada ")
        )

    async def enter(self, *, email: str = EMAIL, password: str = PASSWORD) -> Session:
        return await self.log_in(LogInCommand(email=email, password=password, address=ADDRESS))

    async def refresh(self, session: Session) -> Session:
        return await self.refresh_session(RefreshSessionCommand(session.refresh_token))

    def pass_time(self, seconds: float) -> None:
        self.people.now += timedelta(seconds=seconds)


@pytest.fixture
def identity() -> Identity:
    return Identity()


async def test_registering_signs_in_and_tells_the_others(identity: Identity) -> None:
    session = await identity.ada()
    person = session.person
    assert (person.email, person.display_name, person.roles) == (EMAIL, "Ada", frozenset())
    assert session.access_token.text.startswith(person.user_id)
    assert identity.people.store.events == [(person.user_id, 1, UserJoined(person.user_id))]
    assert await identity.get_me(person.user_id) == person
    await identity.refresh(session)


async def test_an_address_has_one_account_whatever_its_case(identity: Identity) -> None:
    await identity.ada()
    with pytest.raises(EmailTaken):
        await identity.register(
            RegisterCommand(email="aDA@EXAMPLE.com", password=PASSWORD, display_name="Eve")
        )
    assert len(identity.people.store.people) == 1
    assert len(identity.people.store.events) == 1


async def test_an_invisible_name_is_refused_before_any_work(identity: Identity) -> None:
    with pytest.raises(NameInvalid):
        await identity.register(
            RegisterCommand(email=EMAIL, password=PASSWORD, display_name="\u200b")
        )
    assert identity.passwords.hash_count == 0


async def test_signing_in_makes_a_session_of_its_own(identity: Identity) -> None:
    first = await identity.ada()
    second = await identity.enter(email=f" {EMAIL.lower()} ")
    assert second.person == first.person
    assert second.refresh_token != first.refresh_token
    await identity.refresh(first)
    await identity.refresh(second)


async def test_unknown_address_and_wrong_password_look_the_same(identity: Identity) -> None:
    await identity.ada()
    errors, hash_counts = [], []
    for email, password in ((EMAIL, "wrong"), ("nobody@example.com", PASSWORD)):
        before = identity.passwords.hash_count
        with pytest.raises(CredentialsInvalid) as caught:
            await identity.enter(email=email, password=password)
        errors.append((caught.value.message, caught.value.metadata, caught.value.retry_after_s))
        hash_counts.append(identity.passwords.hash_count - before)
    assert errors[0] == errors[1]
    assert hash_counts == [1, 1]


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
async def test_guessing_is_stopped_for_known_and_unknown_alike(
    identity: Identity, email: str
) -> None:
    await identity.ada()
    for _ in range(10):
        with pytest.raises(CredentialsInvalid):
            await identity.enter(email=email, password="guess")
    hashes = identity.passwords.hash_count
    with pytest.raises(TooManyAttempts) as caught:
        await identity.enter(email=email, password=PASSWORD)
    assert caught.value.retry_after_s == 30
    assert identity.passwords.hash_count == hashes
    # Elsewhere the owner still gets in.
    command = LogInCommand(email=EMAIL, password=PASSWORD, address="198.51.100.1")
    assert (await identity.log_in(command)).person.email == EMAIL


async def test_good_passwords_are_not_counted(identity: Identity) -> None:
    await identity.ada()
    for _ in range(50):
        await identity.enter()


async def test_a_weak_hash_is_upgraded_at_login(identity: Identity) -> None:
    user_id = (await identity.ada()).person.user_id
    stored = identity.people.store.people
    stored[user_id].password_hash = f"$argon2id$weak${PASSWORD}"
    with pytest.raises(CredentialsInvalid):
        await identity.enter(password="wrong")
    assert "$weak$" in stored[user_id].password_hash
    await identity.enter()
    assert "$strong$" in identity.people.store.people[user_id].password_hash


async def test_a_refresh_token_works_once_and_reuse_ends_the_family(identity: Identity) -> None:
    first = await identity.ada()
    other_sign_in = await identity.enter()
    second = await identity.refresh(first)
    third = await identity.refresh(second)
    with pytest.raises(RefreshTokenReused):
        await identity.refresh(first)
    for session in (first, second, third):
        with pytest.raises(RefreshTokenInvalid):
            await identity.refresh(session)
    await identity.refresh(other_sign_in)


async def test_a_lost_answer_may_be_asked_for_once_more(identity: Identity) -> None:
    first = await identity.ada()
    lost = await identity.refresh(first)
    identity.pass_time(10)
    second = await identity.refresh(first)
    third = await identity.refresh(second)
    with pytest.raises(RefreshTokenReused):
        await identity.refresh(lost)
    with pytest.raises(RefreshTokenInvalid):
        await identity.refresh(third)


async def test_a_second_retry_is_reuse(identity: Identity) -> None:
    first = await identity.ada()
    await identity.refresh(first)
    second = await identity.refresh(first)
    with pytest.raises(RefreshTokenReused):
        await identity.refresh(first)
    with pytest.raises(RefreshTokenInvalid):
        await identity.refresh(second)


async def test_a_late_retry_is_reuse(identity: Identity) -> None:
    first = await identity.ada()
    await identity.refresh(first)
    identity.pass_time(10.1)
    with pytest.raises(RefreshTokenReused):
        await identity.refresh(first)


async def test_a_refresh_token_ends_after_thirty_days(identity: Identity) -> None:
    session = await identity.ada()
    identity.pass_time(REFRESH_TOKEN_LIFETIME.total_seconds())
    with pytest.raises(RefreshTokenInvalid):
        await identity.refresh(session)


async def test_a_made_up_refresh_token_is_invalid(identity: Identity) -> None:
    with pytest.raises(RefreshTokenInvalid):
        await identity.refresh_session(RefreshSessionCommand("made-up"))


async def test_a_seller_sells_with_the_next_token(identity: Identity) -> None:
    session = await identity.ada()
    user_id = session.person.user_id
    for shop_name in ("  Second Hand  Watches", "Another"):
        person = await identity.apply_as_seller(
            ApplyAsSellerCommand(user_id=user_id, shop_name=shop_name)
        )
        assert person.roles == {Role.SELLER}
        assert person.shop_name == "Second Hand Watches"
    assert identity.people.store.events[1:] == [
        (user_id, 2, SellerApproved(user_id, "Second Hand Watches"))
    ]
    assert (await identity.refresh(session)).access_token.text.endswith("SELLER")


async def test_an_account_that_is_gone_is_not_found(identity: Identity) -> None:
    with pytest.raises(UserNotFound):
        await identity.get_me(new_id())
    with pytest.raises(UserNotFound):
        await identity.apply_as_seller(ApplyAsSellerCommand(user_id=new_id(), shop_name="Shop"))
