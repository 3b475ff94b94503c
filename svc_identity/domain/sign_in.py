"""Sign-ins and their refresh tokens.

Every sign-in is a family of refresh tokens, of which **one** is good at any time: using it makes
the next one. A used token that comes back means that two parties hold copies, and since nobody can
tell which one is the thief, the whole family ends (RFC 9700, section 4.14.2).

One exception, for an answer that got lost on its way: the token that was used last may come back
once within ten seconds, as long as its successor is unused. It then gets *another* successor, and
the first is withdrawn. So there is still one good token, and should the first successor ever be
used (by a thief, or by its rightful owner if the thief made the retry), the family ends. Theft
is found out as surely as without the exception.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

REFRESH_TOKEN_BYTES = 32
REFRESH_TOKEN_LIFETIME = timedelta(days=30)
RETRY_WINDOW = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it is stored: never itself, only its SHA-256."""

    token_hash: bytes = field(repr=False)
    sign_in_id: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PresentedToken:
    """What is known of a token that somebody presents, with its family's state.

    ``successor_hash`` is the latest successor; ``successor_is_unused`` says that it was not used.
    """

    token: RefreshToken
    user_id: str
    used_at: datetime | None = None
    retried_at: datetime | None = None
    withdrawn_at: datetime | None = None
    successor_hash: bytes | None = field(default=None, repr=False)
    successor_is_unused: bool = False
    sign_in_revoked_at: datetime | None = None


class Verdict(Enum):
    """What becomes of a presented refresh token."""

    ROTATE = "it is good: it makes its successor"
    RETRY = "the answer to its first use got lost: another successor, the first is withdrawn"
    INVALID = "it has expired, or its sign-in is over"
    REUSED = "it was used before: its sign-in ends"


def judge(presented: PresentedToken, now: datetime) -> Verdict:
    """Decide about a refresh token that is presented at ``now``."""
    if presented.sign_in_revoked_at is not None or now >= presented.token.expires_at:
        return Verdict.INVALID
    if presented.withdrawn_at is not None:
        return Verdict.REUSED
    if presented.used_at is None:
        return Verdict.ROTATE
    may_be_lost = (
        presented.retried_at is None
        and presented.successor_is_unused
        and now - presented.used_at <= RETRY_WINDOW
    )
    return Verdict.RETRY if may_be_lost else Verdict.REUSED


def new_refresh_token(sign_in_id: str, now: datetime) -> tuple[str, RefreshToken]:
    """Return a new secret for the client, 256 random bits, and what is stored of it."""
    secret = secrets.token_urlsafe(REFRESH_TOKEN_BYTES)
    return secret, RefreshToken(hash_of(secret), sign_in_id, now + REFRESH_TOKEN_LIFETIME)


def hash_of(secret: str) -> bytes:
    """Return what is stored of a secret. It has 256 random bits, so a quick hash is enough."""
    return hashlib.sha256(secret.encode()).digest()
