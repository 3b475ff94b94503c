from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest

from fakes.identity_people import START
from kernel.ids import new_id
from servicekit.errors import TokenExpired, TokenInvalid
from servicekit.tokens import TokenVerifier
from svc_identity.domain.person import Person, Role
from svc_identity.infrastructure.jwt_tokens import JwtAccessTokens
from svc_identity.infrastructure.signing_keys import SigningKeys, rotate_keys

NOW_S = 1_900_000_000.25


class Clock:
    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


def seller() -> Person:
    return Person(
        user_id=new_id(),
        email="ada@example.com",
        display_name="Ada \U0001f469\u200d\U0001f467",
        password_hash="$argon2id$",
        created_at=START,
        roles=frozenset({Role.SELLER, Role.ADMIN}),
    )


async def test_the_verifier_reads_what_is_issued(tmp_path: Path) -> None:
    clock = Clock()
    rotate_keys(tmp_path, now_s=NOW_S)
    keys = SigningKeys(tmp_path, clock=clock)
    tokens = JwtAccessTokens(keys=keys, issuer="https://i.test", audience="a", clock=clock)
    verifier = TokenVerifier(
        issuer="https://i.test", audience="a", fetch_keys=keys.jwks, clock=clock
    )
    person = seller()
    issued = tokens.issue(person, "sign-in")
    assert issued.expires_at == datetime.fromtimestamp(int(NOW_S) + 900, UTC)
    verified = await verifier.verify(issued.text)
    assert verified.user_id == person.user_id
    assert verified.roles == {"SELLER", "ADMIN"}
    assert verified.name == person.display_name
    assert verified.expires_at == issued.expires_at

    elsewhere = TokenVerifier(
        issuer="https://i.test", audience="b", fetch_keys=keys.jwks, clock=clock
    )
    with pytest.raises(TokenInvalid):
        await elsewhere.verify(issued.text)
    clock.now_s += 900
    with pytest.raises(TokenExpired):
        await verifier.verify(issued.text)


def test_header_and_claims_are_those_of_the_profile(tmp_path: Path) -> None:
    key = rotate_keys(tmp_path, now_s=NOW_S)
    tokens = JwtAccessTokens(keys=SigningKeys(tmp_path), issuer="i", audience="a")
    first, second = (tokens.issue(seller(), "sign-in").text for _ in range(2))
    assert jwt.get_unverified_header(first) == {
        "alg": "ES256",
        "kid": key.key_id,
        "typ": "at+jwt",
    }
    claims = [jwt.decode(token, options={"verify_signature": False}) for token in (first, second)]
    assert set(claims[0]) == {
        *("iss", "aud", "sub", "name", "roles", "iat", "nbf", "exp", "jti", "sid")
    }
    assert claims[0]["jti"] != claims[1]["jti"]
    assert "ada@example.com" not in str(claims)
