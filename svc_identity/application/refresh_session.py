"""Exchange a refresh token for the next session; see ``domain.sign_in`` for the rule."""

from dataclasses import dataclass, field

from svc_identity.application.ports import AccessTokens, People
from svc_identity.application.session import Session
from svc_identity.domain.errors import RefreshTokenInvalid, RefreshTokenReused
from svc_identity.domain.sign_in import Verdict, hash_of, judge, new_refresh_token


@dataclass(frozen=True, slots=True)
class RefreshSessionCommand:
    """The refresh token that a client presents."""

    refresh_token: str = field(repr=False)


class RefreshSession:
    """The use case; see the module."""

    def __init__(self, *, people: People, tokens: AccessTokens) -> None:
        self._people = people
        self._tokens = tokens

    async def __call__(self, command: RefreshSessionCommand) -> Session:
        """Return the next session; ``RefreshTokenInvalid`` or ``RefreshTokenReused``."""
        async with self._people.transaction() as people:
            presented = await people.present(hash_of(command.refresh_token))
            if presented is None:
                raise RefreshTokenInvalid
            person = await people.find(presented.user_id)
            if person is None:
                raise RefreshTokenInvalid
            sign_in_id = presented.token.sign_in_id
            secret, successor = new_refresh_token(sign_in_id, people.now)
            verdict = judge(presented, people.now)
            match verdict:
                case Verdict.ROTATE:
                    await people.rotate(presented, successor)
                case Verdict.RETRY:
                    await people.retry(presented, successor)
                case Verdict.REUSED:
                    await people.revoke_sign_in(sign_in_id)
                case Verdict.INVALID:
                    raise RefreshTokenInvalid
        if verdict is Verdict.REUSED:
            # Only now: raised inside, the error would undo the revocation.
            raise RefreshTokenReused
        return Session(
            access_token=self._tokens.issue(person, sign_in_id),
            refresh_token=secret,
            person=person,
        )
