"""The ports of svc_identity, fake and real, with what the shared suite needs to look inside."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from blytz.events.v1.event_pb2 import Event
from fakes.identity_people import FakePeople, FakeSignInAttempts
from servicekit.postgres import Database
from svc_identity.application.ports import People, SignInAttempts
from svc_identity.infrastructure.postgres_attempts import PostgresSignInAttempts
from svc_identity.infrastructure.postgres_people import PostgresPeople

Recorded = tuple[str, int]
"""An event's type and sequence."""


class Ports(Protocol):
    """What the shared suite needs to look at either kind."""

    @property
    def people(self) -> People: ...

    @property
    def attempts(self) -> SignInAttempts: ...

    async def pass_time(self, seconds: float) -> None: ...

    async def events_of(self, user_id: str) -> list[Recorded]: ...

    async def password_hash_of(self, user_id: str) -> str: ...


class FakePorts:
    def __init__(self) -> None:
        self.people = FakePeople()
        self.attempts = FakeSignInAttempts(self.people)

    async def pass_time(self, seconds: float) -> None:
        self.people.now += timedelta(seconds=seconds)

    async def events_of(self, user_id: str) -> list[Recorded]:
        names = {
            "UserJoined": "user.join",
            "SellerApproved": "seller.approved",
            "AccountsLinked": "user.linked",
        }
        return [
            (names[type(event).__name__], sequence)
            for owner, sequence, event in self.people.store.events
            if owner == user_id
        ]

    async def password_hash_of(self, user_id: str) -> str:
        return self.people.store.people[user_id].password_hash


@dataclass
class PostgresPorts:
    people: PostgresPeople
    attempts: PostgresSignInAttempts
    database: Database

    async def pass_time(self, seconds: float) -> None:
        """Move everything else into the past, since the database's clock cannot be moved."""
        gone = {"gone": timedelta(seconds=seconds)}
        async with self.database.transaction() as connection:
            await connection.execute(
                "update refresh_tokens set expires_at = expires_at - %(gone)s,"
                " used_at = used_at - %(gone)s, retried_at = retried_at - %(gone)s,"
                " withdrawn_at = withdrawn_at - %(gone)s",
                gone,
            )
            await connection.execute("update sign_ins set expires_at = expires_at - %(gone)s", gone)
            await connection.execute(
                "update sign_in_attempts set empty_at = empty_at - %(gone)s", gone
            )

    async def events_of(self, user_id: str) -> list[Recorded]:
        async with self.database.transaction() as connection:
            cursor = await connection.execute(
                "select topic, payload from outbox where partition_key = %s order by id", [user_id]
            )
            rows = await cursor.fetchall()
        assert all(topic == "user.events" for topic, _ in rows)
        events = [Event.FromString(bytes(payload)) for _, payload in rows]
        assert all(event.aggregate_id == user_id for event in events)
        assert len({event.event_id for event in events}) == len(events)
        assert all(
            getattr(event, event.WhichOneof("payload") or "").user_id == user_id for event in events
        )
        return [(event.type, event.sequence) for event in events]

    async def password_hash_of(self, user_id: str) -> str:
        async with self.people.transaction() as people:
            person = await people.find(user_id)
        assert person is not None
        return person.password_hash
