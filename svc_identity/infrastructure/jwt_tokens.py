"""Access tokens as JWTs in the profile of RFC 9068."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import jwt

from kernel.ids import new_id
from servicekit.tokens import ALGORITHM, TOKEN_TYPE
from svc_identity.application.ports import AccessToken
from svc_identity.domain.person import Person
from svc_identity.infrastructure.signing_keys import SigningKeys

LIFETIME_S = 900


class JwtAccessTokens:
    """The port ``AccessTokens``.

    A token says what was true when it was issued; it cannot be called back, which is why it lives
    for 15 minutes only.
    """

    def __init__(
        self,
        *,
        keys: SigningKeys,
        issuer: str,
        audience: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    def issue(self, person: Person, sign_in_id: str) -> AccessToken:
        """Return a signed token."""
        issued_at_s = int(self._clock())
        expires_at_s = issued_at_s + LIFETIME_S
        key = self._keys.current
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": person.user_id,
            "name": person.display_name,
            "roles": sorted(person.roles),
            "iat": issued_at_s,
            "nbf": issued_at_s,
            "exp": expires_at_s,
            "jti": new_id(),
            "sid": sign_in_id,
        }
        headers = {"kid": key.key_id, "typ": TOKEN_TYPE}
        text = jwt.encode(claims, key.private_key, algorithm=ALGORITHM, headers=headers)
        return AccessToken(text, datetime.fromtimestamp(expires_at_s, UTC))
