"""One suite for the ports: the fake and the real thing keep the same promises."""

import asyncio
import secrets

import pytest

from fakes.identity_people import FakeAccessTokens, FakePasswords
from fakes.identity_ports import Ports
from kernel.ids import new_id
from svc_identity.application.ports import PeopleTransaction
from svc_identity.application.refresh_session import RefreshSession, RefreshSessionCommand
from svc_identity.application.register import Register, RegisterCommand
from svc_identity.application.session import Session
from svc_identity.domain.errors import (
    EmailTaken,
    RefreshTokenInvalid,
    RefreshTokenReused,
    TooManyAttempts,
)
from svc_identity.domain.person import Person, Role
from svc_identity.domain.sign_in import REFRESH_TOKEN_LIFETIME


def new_email() -> str:
    return f"{secrets.token_hex(8)}@example.com"


async def joined(ports: Ports, email: str = "") -> Person:
    async with ports.people.transaction() as people:
        person = new_person(people, email or new_email())
        await people.add(person)
    return person


def new_person(people: PeopleTransaction, email: str) -> Person:
    return Person.join(
        user_id=new_id(),
        email=email,
        display_name="Ada \U0001f469\u200d\U0001f467",
        password_hash="$argon2id$first",
        now=people.now,
    )


async def signed_in(ports: Ports) -> Session:
    register = Register(people=ports.people, passwords=FakePasswords(), tokens=FakeAccessTokens())
    return await register(
        RegisterCommand(email=new_email(), password="correct horse", display_name="Ada")
    )


async def refreshed(ports: Ports, session: Session) -> Session:
    refresh = RefreshSession(people=ports.people, tokens=FakeAccessTokens())
    return await refresh(RefreshSessionCommand(session.refresh_token))


async def test_what_is_added_is_found(ports: Ports) -> None:
    person = await joined(ports)
    async with ports.people.transaction() as people:
        assert await people.find(person.user_id) == person
        assert await people.lock(person.user_id) == person
        assert await people.find(new_id()) is None
        assert await people.lock(new_id()) is None
    assert await ports.people.find_by_email(f" {person.email.upper()} ") == person
    assert await ports.people.find_by_email(new_email()) is None
    assert await ports.people.find_by_email("\0") is None
    assert await ports.events_of(person.user_id) == [("user.join", 1)]


async def test_an_address_is_taken_once_also_by_two_at_once(ports: Ports) -> None:
    email = new_email()
    results = await asyncio.gather(
        joined(ports, email), joined(ports, email.upper()), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["EmailTaken", "Person"]
    with pytest.raises(EmailTaken):
        await joined(ports, email)


async def test_an_error_undoes_the_transaction(ports: Ports) -> None:
    email = new_email()

    async def failing() -> str:
        async with ports.people.transaction() as people:
            person = new_person(people, email)
            await people.add(person)
            raise LookupError(person.user_id)

    with pytest.raises(LookupError) as caught:
        await failing()
    assert await ports.people.find_by_email(email) is None
    assert await ports.events_of(str(caught.value)) == []


async def test_events_of_an_account_are_numbered_without_gaps(ports: Ports) -> None:
    person = await joined(ports)
    for shop_name in ("Watches", "Clocks"):
        async with ports.people.transaction() as people:
            locked = await people.lock(person.user_id)
            assert locked is not None
            locked.approve_as_seller(shop_name)
            await people.save(locked)
    async with ports.people.transaction() as people:
        found = await people.find(person.user_id)
    assert found is not None
    assert found.roles == {Role.SELLER}
    assert found.shop_name == "Watches"
    assert await ports.events_of(person.user_id) == [("user.join", 1), ("seller.approved", 2)]


async def test_fifty_applications_at_once_are_one(ports: Ports) -> None:
    person = await joined(ports)

    async def apply() -> None:
        async with ports.people.transaction() as people:
            locked = await people.lock(person.user_id)
            assert locked is not None
            locked.approve_as_seller("Watches")
            await people.save(locked)

    await asyncio.gather(*(apply() for _ in range(50)))
    assert await ports.events_of(person.user_id) == [("user.join", 1), ("seller.approved", 2)]


async def test_a_hash_is_replaced_only_if_it_is_still_the_old_one(ports: Ports) -> None:
    user_id = (await joined(ports)).user_id
    async with ports.people.transaction() as people:
        await people.replace_password_hash(user_id, old="$argon2id$other", new="$argon2id$x")
    assert await ports.password_hash_of(user_id) == "$argon2id$first"
    async with ports.people.transaction() as people:
        await people.replace_password_hash(user_id, old="$argon2id$first", new="$argon2id$x")
    assert await ports.password_hash_of(user_id) == "$argon2id$x"


async def test_rotation_and_reuse(ports: Ports) -> None:
    first = await signed_in(ports)
    second = await refreshed(ports, first)
    third = await refreshed(ports, second)
    with pytest.raises(RefreshTokenReused):
        await refreshed(ports, first)
    with pytest.raises(RefreshTokenInvalid):
        await refreshed(ports, third)


async def test_a_lost_answer_is_given_once_more_and_its_token_is_a_trap(ports: Ports) -> None:
    first = await signed_in(ports)
    lost = await refreshed(ports, first)
    await ports.pass_time(9)
    second = await refreshed(ports, first)
    third = await refreshed(ports, second)
    with pytest.raises(RefreshTokenReused):
        await refreshed(ports, lost)
    with pytest.raises(RefreshTokenInvalid):
        await refreshed(ports, third)


async def test_a_late_return_is_reuse(ports: Ports) -> None:
    first = await signed_in(ports)
    second = await refreshed(ports, first)
    await ports.pass_time(11)
    with pytest.raises(RefreshTokenReused):
        await refreshed(ports, first)
    with pytest.raises(RefreshTokenInvalid):
        await refreshed(ports, second)


async def test_fifty_uses_at_once_leave_no_good_token(ports: Ports) -> None:
    first = await signed_in(ports)
    results = await asyncio.gather(
        *(refreshed(ports, first) for _ in range(50)), return_exceptions=True
    )
    sessions = [result for result in results if isinstance(result, Session)]
    reused = [result for result in results if isinstance(result, RefreshTokenReused)]
    invalid = [result for result in results if isinstance(result, RefreshTokenInvalid)]
    assert (len(sessions), len(reused), len(invalid)) == (2, 1, 47)
    for session in sessions:
        with pytest.raises(RefreshTokenInvalid):
            await refreshed(ports, session)


async def test_refresh_tokens_expire(ports: Ports) -> None:
    session = await signed_in(ports)
    await ports.pass_time(REFRESH_TOKEN_LIFETIME.total_seconds() - 60)
    session = await refreshed(ports, session)
    await ports.pass_time(REFRESH_TOKEN_LIFETIME.total_seconds())
    with pytest.raises(RefreshTokenInvalid):
        await refreshed(ports, session)


async def test_attempts_are_counted_together(ports: Ports) -> None:
    email, address = new_email(), f"2001:db8:{secrets.randbelow(9999)}::1"

    async def attempt() -> bool:
        try:
            await ports.attempts.draw(email=email, address=address)
        except TooManyAttempts as refusal:
            assert 0 < (refusal.retry_after_s or 0) <= 30  # noqa: PT017 - both ways are right
            return False
        return True

    admitted = await asyncio.gather(*(attempt() for _ in range(25)))
    assert sum(admitted) == 10
    assert not await attempt()
    await ports.attempts.give_back(email=email.upper(), address=address)
    assert await attempt()
    assert not await attempt()
    await ports.pass_time(30)
    assert await attempt()
    await ports.attempts.draw(email=email, address="192.0.2.1")
    await ports.attempts.draw(email=email, address="")
