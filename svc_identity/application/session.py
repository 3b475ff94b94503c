"""What a client keeps to stay signed in."""

from dataclasses import dataclass, field

from svc_identity.application.ports import AccessToken
from svc_identity.domain.person import Person


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """An access token, the refresh token for the next session, and who is signed in."""

    access_token: AccessToken
    refresh_token: str = field(repr=False)
    person: Person
