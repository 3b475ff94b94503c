"""The ports of svc_identity in memory: accounts, attempts, passwords and tokens."""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from svc_identity.application.ports import AccessToken, PasswordCheck
from svc_identity.domain.errors import EmailTaken
from svc_identity.domain.events import Event
from svc_identity.domain.guessing import Allowances, drawn, draws_of, given_back
from svc_identity.domain.normalisation import email_key
from svc_identity.domain.person import Person
from svc_identity.domain.sign_in import PresentedToken, RefreshToken

START = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class Store:
    """What a database would hold. A token's ``successor_is_unused`` is worked out when read."""

    people: dict[str, Person] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    revoked_at: dict[str, datetime] = field(default_factory=dict)
    tokens: dict[bytes, PresentedToken] = field(default_factory=dict)
    events: list[tuple[str, int, Event]] = field(default_factory=list)


class FakePeople:
    """`People` whose transactions run one after the other; the clock moves by hand."""

    def __init__(self) -> None:
        self.store = Store()
        self.now = START
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["FakePeopleTransaction"]:
        async with self._turn:
            draft = copy.deepcopy(self.store)
            yield FakePeopleTransaction(draft, self.now)
            self.store = draft

    async def find_by_email(self, email: str) -> Person | None:
        await asyncio.sleep(0)
        return next(
            (
                copy.deepcopy(person)
                for person in self.store.people.values()
                if email_key(person.email) == email_key(email)
            ),
            None,
        )


class FakePeopleTransaction:
    def __init__(self, store: Store, now: datetime) -> None:
        self.now = now
        self._store = store

    async def add(self, person: Person) -> None:
        taken = {email_key(other.email) for other in self._store.people.values()}
        if email_key(person.email) in taken:
            raise EmailTaken
        await self.save(person)

    async def find(self, user_id: str) -> Person | None:
        await asyncio.sleep(0)
        return copy.deepcopy(self._store.people.get(user_id))

    async def lock(self, user_id: str) -> Person | None:
        return await self.find(user_id)

    async def save(self, person: Person) -> None:
        sequence = sum(user_id == person.user_id for user_id, _, _ in self._store.events)
        for event in person.events:
            sequence += 1
            self._store.events.append((person.user_id, sequence, event))
        person.events.clear()
        self._store.people[person.user_id] = copy.deepcopy(person)

    async def replace_password_hash(self, user_id: str, *, old: str, new: str) -> None:
        person = self._store.people[user_id]
        if person.password_hash == old:
            person.password_hash = new

    async def open_sign_in(self, user_id: str, first: RefreshToken) -> None:
        self._store.owners[first.sign_in_id] = user_id
        self._add(first)

    async def present(self, token_hash: bytes) -> PresentedToken | None:
        await asyncio.sleep(0)
        stored = self._store.tokens.get(token_hash)
        if stored is None:
            return None
        successor = self._store.tokens.get(stored.successor_hash or b"")
        return replace(
            stored,
            successor_is_unused=successor is not None and successor.used_at is None,
            sign_in_revoked_at=self._store.revoked_at.get(stored.token.sign_in_id),
        )

    async def rotate(self, presented: PresentedToken, successor: RefreshToken) -> None:
        self._change(presented, used_at=self.now, successor_hash=successor.token_hash)
        self._add(successor)

    async def retry(self, presented: PresentedToken, successor: RefreshToken) -> None:
        withdrawn = self._store.tokens[presented.successor_hash or b""]
        self._change(withdrawn, withdrawn_at=self.now)
        self._change(presented, retried_at=self.now, successor_hash=successor.token_hash)
        self._add(successor)

    async def revoke_sign_in(self, sign_in_id: str) -> None:
        self._store.revoked_at.setdefault(sign_in_id, self.now)

    def _add(self, token: RefreshToken) -> None:
        owner = self._store.owners[token.sign_in_id]
        self._store.tokens[token.token_hash] = PresentedToken(token=token, user_id=owner)

    def _change(self, presented: PresentedToken, **changes: datetime | bytes) -> None:
        token_hash = presented.token.token_hash
        stored = self._store.tokens[token_hash]
        self._store.tokens[token_hash] = replace(stored, **changes)  # type: ignore[arg-type]


class FakeSignInAttempts:
    """`SignInAttempts` that counts by the clock of a `FakePeople`."""

    def __init__(self, people: FakePeople, allowances: Allowances | None = None) -> None:
        self._people = people
        self._allowances = allowances or Allowances()
        self._empty_at: dict[bytes, datetime] = {}

    async def draw(self, *, email: str, address: str) -> None:
        draws = draws_of(email=email, address=address, allowances=self._allowances)
        now = self._people.now
        after = drawn(draws, [self._empty_at.get(draw.key, now) for draw in draws], now)
        self._empty_at.update(zip((draw.key for draw in draws), after, strict=True))

    async def give_back(self, *, email: str, address: str) -> None:
        draws = draws_of(email=email, address=address, allowances=self._allowances)
        now = self._people.now
        after = given_back(draws, [self._empty_at.get(draw.key, now) for draw in draws])
        self._empty_at.update(zip((draw.key for draw in draws), after, strict=True))


class FakePasswords:
    """`Passwords` that are quick: a hash is the password behind ``weak`` or ``strong``."""

    def __init__(self) -> None:
        self.hash_count = 0

    async def hash(self, password: str) -> str:
        self.hash_count += 1
        return f"$argon2id$strong${password}"

    async def check(self, password: str, password_hash: str | None) -> PasswordCheck:
        self.hash_count += 1
        if password_hash is None or password_hash.rpartition("$")[2] != password:
            return PasswordCheck(is_right=False)
        is_weak = "$weak$" in password_hash
        return PasswordCheck(
            is_right=True, stronger_hash=await self.hash(password) if is_weak else None
        )


class FakeAccessTokens:
    """`AccessTokens` that can be read."""

    def issue(self, person: Person, sign_in_id: str) -> AccessToken:
        roles = ",".join(sorted(person.roles))
        return AccessToken(f"{person.user_id} {sign_in_id} {roles}", START + timedelta(minutes=15))
