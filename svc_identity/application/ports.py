"""What the use cases need from outside."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from svc_identity.domain.person import Person
from svc_identity.domain.sign_in import PresentedToken, RefreshToken


class PeopleTransaction(Protocol):
    """Accounts and sign-ins within one transaction; ``now`` is its time, by the store's clock."""

    @property
    def now(self) -> datetime:
        """The time of the transaction, aware and in UTC."""
        ...

    async def add(self, person: Person) -> None:
        """Store a new account and its events; ``EmailTaken`` if the address has one."""
        ...

    async def find(self, user_id: str) -> Person | None:
        """Return an account."""
        ...

    async def lock(self, user_id: str) -> Person | None:
        """Return an account that nobody else changes until the transaction ends."""
        ...

    async def save(self, person: Person) -> None:
        """Store a locked account's roles, shop and events."""
        ...

    async def replace_password_hash(self, user_id: str, *, old: str, new: str) -> None:
        """Store a stronger hash of the same password, unless the password changed meanwhile."""
        ...

    async def open_sign_in(self, user_id: str, first: RefreshToken) -> None:
        """Store a new sign-in with its first refresh token."""
        ...

    async def present(self, token_hash: bytes) -> PresentedToken | None:
        """Return what is known of a refresh token, its family locked; None if it is unknown."""
        ...

    async def rotate(self, presented: PresentedToken, successor: RefreshToken) -> None:
        """Mark a token as used and store its successor."""
        ...

    async def retry(self, presented: PresentedToken, successor: RefreshToken) -> None:
        """Mark a token as retried, withdraw its first successor and store another."""
        ...

    async def revoke_sign_in(self, sign_in_id: str) -> None:
        """End a sign-in with all of its refresh tokens."""
        ...


class People(Protocol):
    """Everybody who has an account, and their sign-ins."""

    def transaction(self) -> AbstractAsyncContextManager[PeopleTransaction]:
        """Open a transaction: committed at the end, undone on an error."""
        ...

    async def find_by_email(self, email: str) -> Person | None:
        """Return the account with this address, whatever its case."""
        ...


class SignInAttempts(Protocol):
    """Counts attempts to sign in; see ``domain.guessing`` for the rule."""

    async def draw(self, *, email: str, address: str) -> None:
        """Count an attempt; ``TooManyAttempts`` if there were too many."""
        ...

    async def give_back(self, *, email: str, address: str) -> None:
        """Take the last attempt back: it was the owner's."""
        ...


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Whether a password is right, and a stronger hash of it if the stored one is weak."""

    is_right: bool
    stronger_hash: str | None = field(default=None, repr=False)


class Passwords(Protocol):
    """Hashes passwords, slowly by intent. Busy: ``RESOURCE_EXHAUSTED / OVERLOADED``."""

    async def hash(self, password: str) -> str:
        """Return a salted hash to store."""
        ...

    async def check(self, password: str, password_hash: str | None) -> PasswordCheck:
        """Compare a password; without a hash it takes as long, and is wrong."""
        ...


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed access token and when it stops being accepted."""

    text: str = field(repr=False)
    expires_at: datetime


class AccessTokens(Protocol):
    """Signs access tokens."""

    def issue(self, person: Person, sign_in_id: str) -> AccessToken:
        """Return a token that says who the person is and what they may do."""
        ...
