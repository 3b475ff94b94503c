"""What only the real database can show: locks, constraints, and that nothing piles up."""

import asyncio
import secrets
from datetime import timedelta

import psycopg
import pytest

from fakes.identity_people import FakeAccessTokens, FakePasswords
from fakes.identity_ports import PostgresPorts
from kernel.ids import new_id
from svc_identity.application.refresh_session import RefreshSession, RefreshSessionCommand
from svc_identity.application.register import Register, RegisterCommand
from svc_identity.application.session import Session
from svc_identity.domain.errors import RefreshTokenInvalid
from svc_identity.domain.person import Person
from svc_identity.domain.sign_in import new_refresh_token
from svc_identity.infrastructure.postgres_people import QUERIES, PostgresPeople
from svc_identity.infrastructure.postgres_sweeper import PostgresSweeper


async def signed_in(ports: PostgresPorts) -> Session:
    register = Register(people=ports.people, passwords=FakePasswords(), tokens=FakeAccessTokens())
    email = f"{secrets.token_hex(8)}@example.com"
    return await register(RegisterCommand(email=email, password="p" * 10, display_name="Ada"))


async def count(ports: PostgresPorts, query: str, *parameters: object) -> int:
    async with ports.database.transaction() as connection:
        cursor = await connection.execute(query.encode(), parameters)
        [(found,)] = await cursor.fetchall()
    return int(found)


async def test_the_relay_is_woken_after_commits_with_events_alone(
    postgres_ports: PostgresPorts,
) -> None:
    wakes: list[str] = []
    people = PostgresPeople(
        database=postgres_ports.database, wake_relay=lambda: wakes.append("woken")
    )
    async with people.transaction() as transaction:
        person = Person.join(
            user_id=new_id(),
            email=f"{secrets.token_hex(8)}@example.com",
            display_name="Ada",
            password_hash="$argon2id$",
            now=transaction.now,
        )
        await transaction.add(person)
        assert wakes == []
    assert wakes == ["woken"]
    async with people.transaction() as transaction:
        await transaction.find(person.user_id)
    assert wakes == ["woken"]


async def test_neither_password_nor_refresh_token_is_stored(postgres_ports: PostgresPorts) -> None:
    session = await signed_in(postgres_ports)
    assert (
        await count(
            postgres_ports,
            "select count(*) from refresh_tokens as t where t::text like %s",
            f"%{session.refresh_token}%",
        )
        == 0
    )


async def test_the_database_itself_keeps_one_good_token_a_family(
    postgres_ports: PostgresPorts,
) -> None:
    session = await signed_in(postgres_ports)
    sign_in_id = session.access_token.text.split()[1]
    _, second = new_refresh_token(sign_in_id, session.person.created_at)
    with pytest.raises(psycopg.errors.UniqueViolation):
        async with postgres_ports.database.transaction() as connection:
            await connection.execute(
                QUERIES["add_refresh_token"],
                {
                    "token_hash": second.token_hash,
                    "sign_in_id": second.sign_in_id,
                    "expires_at": second.expires_at,
                },
            )


async def test_crossing_attempts_never_deadlock(postgres_ports: PostgresPorts) -> None:
    attempts = postgres_ports.attempts
    addresses = [f"203.0.113.{n}" for n in range(4)]
    emails = [f"{secrets.token_hex(8)}@example.com" for _ in range(4)]

    async def attempt(email: str, address: str) -> None:
        await attempts.draw(email=email, address=address)
        await attempts.give_back(email=email, address=address)

    pairs = [(email, address) for email in emails for address in addresses] * 3
    await asyncio.gather(*(attempt(email, address) for email, address in pairs))


async def test_what_means_nothing_any_more_is_swept(postgres_ports: PostgresPorts) -> None:
    living, dead = await signed_in(postgres_ports), await signed_in(postgres_ports)
    address = f"2001:db8:{secrets.randbelow(9999)}:7::1"
    await postgres_ports.attempts.draw(email="ada@example.com", address=address)
    dead_sign_in = dead.access_token.text.split()[1]
    gone = timedelta(days=31)
    async with postgres_ports.database.transaction() as connection:
        await connection.execute(
            "update refresh_tokens set expires_at = expires_at - %s where sign_in_id = %s",
            (gone, dead_sign_in),
        )
        await connection.execute(
            "update sign_ins set expires_at = expires_at - %s where sign_in_id = %s",
            (gone, dead_sign_in),
        )
        await connection.execute(
            "update sign_in_attempts set empty_at = empty_at - interval '1 day'"
        )
    sweeper = PostgresSweeper(database=postgres_ports.database)
    assert await sweeper.sweep() >= 5
    assert await count(postgres_ports, "select count(*) from sign_in_attempts") == 0
    assert (
        await count(
            postgres_ports, "select count(*) from sign_ins where sign_in_id = %s", dead_sign_in
        )
        == 0
    )
    refresh = RefreshSession(people=postgres_ports.people, tokens=FakeAccessTokens())
    assert await refresh(RefreshSessionCommand(living.refresh_token))
    with pytest.raises(RefreshTokenInvalid):
        await refresh(RefreshSessionCommand(dead.refresh_token))
