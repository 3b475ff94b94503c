"""Security statement 5, as a rule: one good token a family, and reuse ends the family."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.identity_people import START
from svc_identity.domain.sign_in import (
    REFRESH_TOKEN_LIFETIME,
    RETRY_WINDOW,
    PresentedToken,
    RefreshToken,
    Verdict,
    hash_of,
    judge,
    new_refresh_token,
)

FRESH = PresentedToken(
    token=RefreshToken(b"\0" * 32, "sign-in", START + timedelta(days=30)), user_id="user"
)
USED = replace(FRESH, used_at=START, successor_hash=b"\1" * 32, successor_is_unused=True)
SOON = START + RETRY_WINDOW
LATER = SOON + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("presented", "now", "verdict"),
    [
        (FRESH, START, Verdict.ROTATE),
        (FRESH, START + timedelta(days=30), Verdict.INVALID),
        (replace(FRESH, sign_in_revoked_at=START), START, Verdict.INVALID),
        (replace(FRESH, withdrawn_at=START), START, Verdict.REUSED),
        (USED, SOON, Verdict.RETRY),
        (USED, START - timedelta(seconds=1), Verdict.RETRY),
        (USED, LATER, Verdict.REUSED),
        (replace(USED, retried_at=START), SOON, Verdict.REUSED),
        (replace(USED, successor_is_unused=False), SOON, Verdict.REUSED),
        (replace(USED, sign_in_revoked_at=START), SOON, Verdict.INVALID),
    ],
)
def test_what_becomes_of_a_token(presented: PresentedToken, now: object, verdict: Verdict) -> None:
    assert judge(presented, now) is verdict  # type: ignore[arg-type]


def test_a_secret_has_256_random_bits_and_only_its_hash_is_stored() -> None:
    secret, token = new_refresh_token("sign-in", START)
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert new_refresh_token("sign-in", START)[0] != secret
    assert token.token_hash == hash_of(secret)
    assert token.expires_at == START + REFRESH_TOKEN_LIFETIME
    assert secret not in repr(token)
    assert 20 <= len(secret) <= 200
