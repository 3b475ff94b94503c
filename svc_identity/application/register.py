"""Create an account and sign its owner in."""

from dataclasses import dataclass, field

from kernel.ids import new_id
from svc_identity.application.ports import AccessTokens, Passwords, People
from svc_identity.application.session import Session
from svc_identity.domain.normalisation import (
    normalised_display_name,
    normalised_email,
    normalised_password,
)
from svc_identity.domain.person import Person
from svc_identity.domain.sign_in import new_refresh_token


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterCommand:
    """What somebody typed to get an account."""

    email: str = field(repr=False)
    password: str = field(repr=False)
    display_name: str = field(repr=False)


class Register:
    """The use case; see the module."""

    def __init__(self, *, people: People, passwords: Passwords, tokens: AccessTokens) -> None:
        self._people = people
        self._passwords = passwords
        self._tokens = tokens

    async def __call__(self, command: RegisterCommand) -> Session:
        """Return the first session; ``EmailTaken`` if the address has an account."""
        display_name = normalised_display_name(command.display_name)
        # Before the transaction: hashing is slow, and no connection should wait for it.
        password_hash = await self._passwords.hash(normalised_password(command.password))
        async with self._people.transaction() as people:
            person = Person.join(
                user_id=new_id(),
                email=normalised_email(command.email),
                display_name=display_name,
                password_hash=password_hash,
                now=people.now,
            )
            await people.add(person)
            secret, refresh_token = new_refresh_token(new_id(), people.now)
            await people.open_sign_in(person.user_id, refresh_token)
        return Session(
            access_token=self._tokens.issue(person, refresh_token.sign_in_id),
            refresh_token=secret,
            person=person,
        )
