"""Security statements 2, 3 and 4: which tokens are good; nothing they name is fetched."""

import asyncio
import secrets
import socket
import timeit
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from fakes.token_mint import (
    AUDIENCE,
    ISSUER,
    NOW_S,
    USER_ID,
    TokenMint,
    handmade,
    right_claims,
)
from servicekit import tokens
from servicekit.errors import DependencyUnavailable, TokenExpired, TokenInvalid
from servicekit.tokens import TokenVerifier


class Clock:
    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mint() -> TokenMint:
    return TokenMint("first")


@pytest.fixture
def verifier(mint: TokenMint, clock: Clock) -> TokenVerifier:
    return verifier_of(mint, clock)


def verifier_of(mint: TokenMint, clock: Clock) -> TokenVerifier:
    return TokenVerifier(issuer=ISSUER, audience=AUDIENCE, fetch_keys=mint.fetch_keys, clock=clock)


async def refreshed(verifier: TokenVerifier) -> None:
    if verifier._refresh is not None:
        await verifier._refresh


async def test_a_good_token_names_its_person(verifier: TokenVerifier, mint: TokenMint) -> None:
    person = await verifier.verify(mint.token())
    assert person.user_id == USER_ID
    assert person.roles == {"SELLER"}
    assert person.name == "Ada"
    assert person.expires_at == datetime.fromtimestamp(NOW_S + 900, UTC)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"iss": "https://elsewhere.test"}, "another issuer"),
        ({"aud": "another"}, "another audience"),
        ({"nbf": int(NOW_S) + 60}, "not yet valid"),
        ({"iat": int(NOW_S) + 60}, "issued in the future"),
        ({"sub": "ada"}, "the subject is no id"),
        ({"sub": USER_ID.upper()}, "the id is not canonical"),
        ({"exp": "soon"}, "the expiry is no number"),
        ({"exp": True}, "the expiry is a boolean"),
        ({"exp": 10**30}, "the expiry is beyond time"),
        ({"roles": "SELLER"}, "the roles are no list"),
        ({"roles": [1]}, "a role is no text"),
        ({"name": 7}, "the name is no text"),
        ({"header": {"typ": "JWT"}}, "not an access token"),
        ({"header": {"typ": "rt+jwt"}}, "a refresh token"),
        ({"header": {"jku": "http://127.0.0.1:1/jwks"}}, "names keys of its own"),
        ({"header": {"jwk": {"kty": "EC"}}}, "carries a key of its own"),
        ({"header": {"crit": ["x"], "x": 1}}, "an extension that we do not know"),
        *(({"without": claim}, f"without {claim}") for claim in tokens.REQUIRED_CLAIMS),
        ({"without": "kid"}, "without a key id"),
        ({"without": "typ"}, "without a type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_token_that_is_wrong_in_one_thing_is_invalid(
    verifier: TokenVerifier, mint: TokenMint, change: dict[str, Any], why: str
) -> None:
    token = mint.token(**change)
    for _ in range(2):
        with pytest.raises(TokenInvalid):
            await verifier.verify(token)
    assert verifier.cached(token) is None, why


async def test_an_expired_token_says_so(
    verifier: TokenVerifier, mint: TokenMint, clock: Clock
) -> None:
    token = mint.token()
    await verifier.verify(token)
    clock.now_s += 899.9
    assert verifier.cached(token) is not None
    clock.now_s += 0.1
    assert verifier.cached(token) is None
    with pytest.raises(TokenExpired):
        await verifier.verify(token)


async def test_unsigned_and_wrongly_signed_tokens_are_invalid(
    verifier: TokenVerifier, mint: TokenMint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("a token made the verifier reach out")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    header = {"typ": "at+jwt", "kid": "first"}
    claims = right_claims()
    forged = [
        handmade(header | {"alg": "none"}, claims),
        handmade(header | {"alg": "None"}, claims),
        handmade(header | {"alg": "ES256"}, claims),
        handmade(header | {"alg": "HS256"}, claims, secret=mint.public_pem()),
        handmade(header | {"alg": "HS256"}, claims, secret=mint.jwks()),
        mint.token(signing_key=generate_private_key(SECP256R1())),
        mint.token(
            signing_key=generate_private_key(SECP256R1()),
            header={"jku": "https://evil.test/jwks.json", "kid": "evil"},
        ),
        mint.token()[:-4] + "AAAA",
    ]
    for token in forged:
        with pytest.raises(TokenInvalid):
            await verifier.verify(token)
    assert mint.fetch_count == 1


async def test_a_refresh_token_is_no_access_token(verifier: TokenVerifier) -> None:
    with pytest.raises(TokenInvalid):
        await verifier.verify(secrets.token_urlsafe(32))


@given(token=st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
async def test_garbage_is_invalid_and_nothing_else(token: str) -> None:
    verifier = verifier_of(TokenMint(), Clock())
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


async def test_monstrous_tokens_are_invalid(verifier: TokenVerifier, mint: TokenMint) -> None:
    nested = handmade({"alg": "ES256"}, {}).split(".")
    deep = "W1tb" * 900
    for token in (mint.token(name="x" * 5000), f"{deep}.{nested[1]}.", "." * 4000):
        with pytest.raises(TokenInvalid):
            await verifier.verify(token)


async def test_unknown_key_ids_cause_one_fetch_in_ten_seconds(
    verifier: TokenVerifier, mint: TokenMint, clock: Clock
) -> None:
    await verifier.verify(mint.token())
    assert mint.fetch_count == 1
    stranger = generate_private_key(SECP256R1())
    for attempt in range(20):
        with pytest.raises(TokenInvalid):
            await verifier.verify(
                mint.token(signing_key=stranger, header={"kid": f"guess-{attempt}"})
            )
    assert mint.fetch_count == 2
    clock.now_s += tokens.KEYS_RETRY_S
    mint.add_key("second")
    assert (await verifier.verify(mint.token(key_id="second"))).user_id == USER_ID
    assert mint.fetch_count == 3


async def test_rotation_keeps_old_tokens_and_a_removed_key_stops_them(
    verifier: TokenVerifier, mint: TokenMint, clock: Clock
) -> None:
    old_token = mint.token()
    await verifier.verify(old_token)
    mint.add_key("second")
    clock.now_s += tokens.KEYS_AGE_S_MAX
    assert verifier.cached(old_token) is not None
    await refreshed(verifier)
    assert verifier.cached(old_token) is not None
    assert (await verifier.verify(mint.token(key_id="second"))).user_id == USER_ID

    del mint.keys["first"]
    clock.now_s += tokens.KEYS_AGE_S_MAX
    assert verifier.cached(old_token) is not None
    await refreshed(verifier)
    assert verifier.cached(old_token) is None
    with pytest.raises(TokenInvalid):
        await verifier.verify(old_token)


async def test_a_failed_refresh_keeps_the_keys_and_tries_again(
    verifier: TokenVerifier, mint: TokenMint, clock: Clock
) -> None:
    token = mint.token()
    await verifier.verify(token)
    mint.fetch_error = ConnectionError("away")
    clock.now_s += tokens.KEYS_AGE_S_MAX
    for _ in range(5):
        assert verifier.cached(token) is not None
        await refreshed(verifier)
    assert mint.fetch_count == 2
    clock.now_s += tokens.KEYS_RETRY_S
    assert verifier.cached(token) is not None
    await refreshed(verifier)
    assert mint.fetch_count == 3


async def test_without_keys_the_dependency_is_unavailable(
    verifier: TokenVerifier, mint: TokenMint
) -> None:
    mint.fetch_error = ConnectionError("away")
    with pytest.raises(DependencyUnavailable) as caught:
        await verifier.verify(mint.token())
    assert caught.value.retry_after_s is not None
    mint.fetch_error = None
    assert (await verifier.verify(mint.token())).user_id == USER_ID


async def test_many_first_calls_share_one_fetch(verifier: TokenVerifier, mint: TokenMint) -> None:
    people = await asyncio.gather(*(verifier.verify(mint.token(jti=str(n))) for n in range(20)))
    assert len(people) == 20
    assert mint.fetch_count == 1


async def test_a_caller_that_gives_up_does_not_stop_the_fetch(clock: Clock) -> None:
    mint, may_answer = TokenMint(), asyncio.Event()

    async def slow_keys() -> bytes:
        await may_answer.wait()
        return await mint.fetch_keys()

    verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, fetch_keys=slow_keys, clock=clock)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(verifier.verify(mint.token()), 0.01)
    may_answer.set()
    assert (await verifier.verify(mint.token())).user_id == USER_ID
    assert mint.fetch_count == 1


async def test_close_stops_a_fetch_under_way(clock: Clock) -> None:
    async def never() -> bytes:
        await asyncio.Event().wait()
        return b""

    verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, fetch_keys=never, clock=clock)
    assert verifier.cached("anything") is None
    await verifier.close()
    await verifier.close()


async def test_the_memory_of_tokens_is_bounded(
    verifier: TokenVerifier, mint: TokenMint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "CACHED_TOKENS_MAX", 3)
    issued = [mint.token(jti=str(n)) for n in range(5)]
    for token in issued:
        await verifier.verify(token)
    assert [verifier.cached(token) is not None for token in issued] == [False, False, *[True] * 3]


async def test_a_warm_check_is_a_look_up(verifier: TokenVerifier, mint: TokenMint) -> None:
    token = mint.token()
    await verifier.verify(token)
    checks = 2000
    best_s = min(timeit.repeat(lambda: verifier.cached(token), number=checks, repeat=5)) / checks
    assert best_s < 5e-6
