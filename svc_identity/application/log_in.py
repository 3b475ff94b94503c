"""Exchange an e-mail address and a password for a session.

An unknown address and a wrong password take the same steps: the same look-up, one hash, the same
error; so they look the same and take the same time.
"""

from dataclasses import dataclass, field

from kernel.ids import new_id
from svc_identity.application.ports import AccessTokens, Passwords, People, SignInAttempts
from svc_identity.application.session import Session
from svc_identity.domain.errors import CredentialsInvalid
from svc_identity.domain.normalisation import normalised_password
from svc_identity.domain.sign_in import new_refresh_token


@dataclass(frozen=True, kw_only=True, slots=True)
class LogInCommand:
    """What somebody typed to sign in, and the network address they come from (or nothing)."""

    email: str = field(repr=False)
    password: str = field(repr=False)
    address: str = field(repr=False, default="")


class LogIn:
    """The use case; see the module."""

    def __init__(
        self,
        *,
        people: People,
        attempts: SignInAttempts,
        passwords: Passwords,
        tokens: AccessTokens,
    ) -> None:
        self._people = people
        self._attempts = attempts
        self._passwords = passwords
        self._tokens = tokens

    async def __call__(self, command: LogInCommand) -> Session:
        """Return a new session; ``CredentialsInvalid``, or ``TooManyAttempts`` for guessers."""
        # Counted first and given back later, or a hundred guesses at once would count as one.
        await self._attempts.draw(email=command.email, address=command.address)
        person = await self._people.find_by_email(command.email)
        password_hash = person.password_hash if person else None
        check = await self._passwords.check(normalised_password(command.password), password_hash)
        if person is None or not check.is_right:
            raise CredentialsInvalid
        await self._attempts.give_back(email=command.email, address=command.address)
        async with self._people.transaction() as people:
            if check.stronger_hash is not None:
                await people.replace_password_hash(
                    person.user_id, old=person.password_hash, new=check.stronger_hash
                )
            secret, refresh_token = new_refresh_token(new_id(), people.now)
            await people.open_sign_in(person.user_id, refresh_token)
        return Session(
            access_token=self._tokens.issue(person, refresh_token.sign_in_id),
            refresh_token=secret,
            person=person,
        )
