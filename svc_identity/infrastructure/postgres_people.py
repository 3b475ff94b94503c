"""Accounts and sign-ins in Postgres; events about them leave through the outbox."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from servicekit import queries
from servicekit.events.outbox import append
from servicekit.postgres import Connection, Database
from svc_identity.domain.errors import EmailTaken
from svc_identity.domain.normalisation import normalised_email
from svc_identity.domain.person import Person, Role
from svc_identity.domain.sign_in import PresentedToken, RefreshToken
from svc_identity.infrastructure.proto_mapping import outbox_events_of

QUERIES = queries.load("svc_identity.infrastructure", "queries.sql")


class PostgresPeople:
    """The port ``People``. ``wake_relay`` is called after a commit that has events."""

    def __init__(self, *, database: Database, wake_relay: Callable[[], None]) -> None:
        self._database = database
        self._wake_relay = wake_relay

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresPeopleTransaction"]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(QUERIES["read_clock"])
            [(now,)] = await cursor.fetchall()
            transaction = PostgresPeopleTransaction(connection, now=now)
            yield transaction
        if transaction.has_events:
            self._wake_relay()

    async def find_by_email(self, email: str) -> Person | None:
        """Return the account with this address."""
        spelled = normalised_email(email)
        if "\0" in spelled:
            return None  # Postgres has no such text, so nobody has such an address.
        async with self._database.transaction() as connection:
            return await _person(connection, "find_person_by_email", email=spelled)


class PostgresPeopleTransaction:
    """The port ``PeopleTransaction``."""

    def __init__(self, connection: Connection, *, now: datetime) -> None:
        self.now = now
        self.has_events = False
        self._connection = connection

    async def add(self, person: Person) -> None:
        """Store a new account and its events."""
        await self._store("add_person", person, missing=EmailTaken())

    async def find(self, user_id: str) -> Person | None:
        """Return an account."""
        return await _person(self._connection, "find_person", user_id=user_id)

    async def lock(self, user_id: str) -> Person | None:
        """Return an account, locked."""
        return await _person(self._connection, "lock_person", user_id=user_id)

    async def save(self, person: Person) -> None:
        """Store a locked account's roles, shop and events."""
        await self._store("save_person", person, missing=LookupError("a person not locked"))

    async def replace_password_hash(self, user_id: str, *, old: str, new: str) -> None:
        """Store a stronger hash of the same password."""
        await self._execute("replace_password_hash", user_id=user_id, old=old, new=new)

    async def open_sign_in(self, user_id: str, first: RefreshToken) -> None:
        """Store a new sign-in with its first refresh token."""
        await self._execute(
            "open_sign_in",
            sign_in_id=first.sign_in_id,
            user_id=user_id,
            expires_at=first.expires_at,
        )
        await self._add_refresh_token(first)

    async def present(self, token_hash: bytes) -> PresentedToken | None:
        """Return what is known of a refresh token, its family locked."""
        sign_in = await self._row("lock_sign_in", token_hash=token_hash)
        token = await self._row("read_refresh_token", token_hash=token_hash)
        if sign_in is None or token is None:
            return None
        sign_in_id, user_id, revoked_at = sign_in
        expires_at, used_at, retried_at, withdrawn_at, successor_hash, is_unused = token
        return PresentedToken(
            token=RefreshToken(token_hash, sign_in_id, expires_at),
            user_id=user_id,
            used_at=used_at,
            retried_at=retried_at,
            withdrawn_at=withdrawn_at,
            successor_hash=successor_hash,
            successor_is_unused=is_unused,
            sign_in_revoked_at=revoked_at,
        )

    async def rotate(self, presented: PresentedToken, successor: RefreshToken) -> None:
        """Mark a token as used and store its successor."""
        await self._execute(
            "use_refresh_token",
            token_hash=presented.token.token_hash,
            successor_hash=successor.token_hash,
            now=self.now,
        )
        await self._add_refresh_token(successor)
        await self._execute(
            "extend_sign_in", sign_in_id=successor.sign_in_id, expires_at=successor.expires_at
        )

    async def retry(self, presented: PresentedToken, successor: RefreshToken) -> None:
        """Mark a token as retried, withdraw its first successor and store another."""
        await self._execute(
            "withdraw_refresh_token", token_hash=presented.successor_hash, now=self.now
        )
        await self._execute(
            "retry_refresh_token",
            token_hash=presented.token.token_hash,
            successor_hash=successor.token_hash,
            now=self.now,
        )
        await self._add_refresh_token(successor)
        await self._execute(
            "extend_sign_in", sign_in_id=successor.sign_in_id, expires_at=successor.expires_at
        )

    async def revoke_sign_in(self, sign_in_id: str) -> None:
        """End a sign-in."""
        await self._execute("revoke_sign_in", sign_in_id=sign_in_id, now=self.now)

    async def _add_refresh_token(self, token: RefreshToken) -> None:
        await self._execute(
            "add_refresh_token",
            token_hash=token.token_hash,
            sign_in_id=token.sign_in_id,
            expires_at=token.expires_at,
        )

    async def _store(self, query: str, person: Person, *, missing: Exception) -> None:
        row = await self._row(
            query,
            user_id=person.user_id,
            email=person.email,
            display_name=person.display_name,
            password_hash=person.password_hash,
            roles=sorted(person.roles),
            shop_name=person.shop_name,
            created_at=person.created_at,
            event_count=len(person.events),
        )
        if row is None:
            raise missing
        if person.events:
            (last_sequence,) = row
            events = outbox_events_of(person, last_sequence=last_sequence, occurred_at=self.now)
            await append(self._connection, events)
            person.events.clear()
            self.has_events = True

    async def _execute(self, query: str, **parameters: object) -> None:
        await self._connection.execute(QUERIES[query], parameters)

    async def _row(self, query: str, **parameters: object) -> tuple[Any, ...] | None:
        cursor = await self._connection.execute(QUERIES[query], parameters)
        return await cursor.fetchone()


async def _person(connection: Connection, query: str, **parameters: object) -> Person | None:
    cursor = await connection.execute(QUERIES[query], parameters)
    row = await cursor.fetchone()
    if row is None:
        return None
    user_id, email, display_name, password_hash, roles, shop_name, created_at = row
    return Person(
        user_id=user_id,
        email=email,
        display_name=display_name,
        password_hash=password_hash,
        roles=frozenset(Role(role) for role in roles),
        shop_name=shop_name,
        created_at=created_at,
    )
