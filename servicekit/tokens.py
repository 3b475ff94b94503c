"""Access tokens: who is behind a call, checked once and remembered.

A token is a JWT of RFC 9068, signed with ES256. The keys come from one place, the function that
the verifier was built with; what a token says about keys (``jku``, ``x5u``, ``jwk``) is never
followed: such a token is refused.
"""

import asyncio
import contextvars
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm

from servicekit.call import Person
from servicekit.errors import DependencyUnavailable, TokenExpired, TokenInvalid

ALGORITHM: Final = "ES256"
TOKEN_TYPE: Final = "at+jwt"
REQUIRED_CLAIMS: Final = ("iss", "aud", "sub", "exp", "iat", "nbf", "jti")
FOREIGN_KEY_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})

TOKEN_LENGTH_MAX = 4096
CACHED_TOKENS_MAX = 16_384
KEYS_AGE_S_MAX = 300.0
KEYS_RETRY_S = 10.0
FETCH_TIMEOUT_S = 2.0
CLOCK_SKEW_S_MAX = 5.0

_log = structlog.get_logger(__name__)

KeysById = dict[str, EllipticCurvePublicKey]


class TokenVerifier:
    """Tells from an access token who is calling.

    ``fetch_keys`` returns the issuer's JWKS as JSON. The keys are fetched when first needed, again
    in the background once they are older than five minutes, and at most every ten seconds when a
    token names a key that is not known. A fetch that fails leaves the keys as they were. Verified
    tokens are remembered until they expire or a key is withdrawn. A verifier belongs to the loop
    that it first runs on.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        fetch_keys: Callable[[], Awaitable[bytes]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._fetch_keys = fetch_keys
        self._clock = clock
        self._keys: KeysById | None = None
        self._verified: dict[str, tuple[Person, float]] = {}
        self._refresh: asyncio.Task[None] | None = None
        self._refresh_due_s = 0.0
        self._unknown_key_fetch_due_s = 0.0

    def cached(self, token: str) -> Person | None:
        """Return the person of a token that was verified before and is still good, or None.

        This is the path of nearly every call: a look-up and a comparison. It never waits; keys that
        are due are fetched beside it.
        """
        now_s = self._clock()
        if now_s >= self._refresh_due_s:
            self._start_refresh(now_s)
        entry = self._verified.get(token)
        if entry is None:
            return None
        person, expires_at_s = entry
        if now_s < expires_at_s:
            return person
        del self._verified[token]
        return None

    async def verify(self, token: str) -> Person:
        """Return the person of a token.

        ``TokenExpired`` if it was good once; ``TokenInvalid`` if it never was, is not yet, or its
        key is withdrawn; ``DependencyUnavailable`` while no keys could be had at all.
        """
        person = self.cached(token)
        if person is not None:
            return person
        key_id = self._key_id(token)
        key = await self._key(key_id)
        claims = self._claims(token, key)
        return self._remember(token, claims)

    async def close(self) -> None:
        """Stop a fetch that is still under way."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.gather(self._refresh, return_exceptions=True)

    def _key_id(self, token: str) -> str:
        if len(token) > TOKEN_LENGTH_MAX:
            raise TokenInvalid
        try:
            header: Mapping[str, Any] = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenInvalid from None
        key_id = header.get("kid")
        if (
            header.get("alg") != ALGORITHM
            or header.get("typ") != TOKEN_TYPE
            or not isinstance(key_id, str)
            or not FOREIGN_KEY_HEADERS.isdisjoint(header)
        ):
            raise TokenInvalid
        return key_id

    async def _key(self, key_id: str) -> EllipticCurvePublicKey:
        if self._keys is None:
            await self._refreshed()
            if self._keys is None:
                raise DependencyUnavailable(dependency="identity", retry_after_s=1.0)
        elif key_id not in self._keys and self._clock() >= self._unknown_key_fetch_due_s:
            # A key may be newer than our copy; but strangers invent key ids, hence the pause.
            self._unknown_key_fetch_due_s = self._clock() + KEYS_RETRY_S
            await self._refreshed()
        key = self._keys.get(key_id)
        if key is None:
            raise TokenInvalid
        return key

    def _claims(self, token: str, key: EllipticCurvePublicKey) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": list(REQUIRED_CLAIMS),
                    # The times are compared below, by this verifier's own clock.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenInvalid from None
        return claims

    def _remember(self, token: str, claims: Mapping[str, Any]) -> Person:
        now_s = self._clock()
        expires_at_s = _seconds(claims, "exp")
        latest_start_s = max(_seconds(claims, "nbf"), _seconds(claims, "iat"))
        person = _person(claims, expires_at_s)
        if latest_start_s > now_s + CLOCK_SKEW_S_MAX:
            raise TokenInvalid
        if now_s >= expires_at_s:
            raise TokenExpired
        if len(self._verified) >= CACHED_TOKENS_MAX:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = (person, expires_at_s)
        return person

    def _start_refresh(self, now_s: float) -> asyncio.Task[None]:
        if self._refresh is None or self._refresh.done():
            self._refresh_due_s = now_s + KEYS_RETRY_S
            # In a context of its own: the deadline of the call at hand is not the keys' deadline.
            self._refresh = asyncio.get_running_loop().create_task(
                self._refresh_keys(), name="token-keys", context=contextvars.Context()
            )
        return self._refresh

    async def _refreshed(self) -> None:
        await asyncio.shield(self._start_refresh(self._clock()))

    async def _refresh_keys(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                keys = parse_jwks(await self._fetch_keys())
        except Exception as error:  # noqa: BLE001 - whatever it was, the keys at hand stay good
            _log.warning("token_keys_fetch_failed", error=type(error).__name__)
            return
        withdrawn = any(keys.get(key_id) != key for key_id, key in (self._keys or {}).items())
        if withdrawn:
            self._verified.clear()
        self._keys = keys
        self._refresh_due_s = self._clock() + KEYS_AGE_S_MAX


def parse_jwks(document: bytes) -> KeysById:
    """Return the ES256 keys of a JSON Web Key Set by key id; keys for other uses are passed over.

    ``ValueError`` if the document is no key set or holds no such key.
    """
    keys: KeysById = {}
    try:
        for entry in json.loads(document)["keys"]:
            fits = (entry["kty"], entry.get("crv")) == ("EC", "P-256")
            signs = entry.get("alg", ALGORITHM) == ALGORITHM and entry.get("use", "sig") == "sig"
            if fits and signs:
                public = {name: entry[name] for name in ("kty", "crv", "x", "y")}
                key = ECAlgorithm.from_jwk(public)
                if isinstance(key, EllipticCurvePublicKey):
                    keys[str(entry["kid"])] = key
    except (KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
        raise ValueError("not a JSON Web Key Set") from error
    if not keys:
        raise ValueError("the key set has no ES256 key")
    return keys


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TokenInvalid
    return value


def _person(claims: Mapping[str, Any], expires_at_s: int) -> Person:
    user_id, name, roles = claims["sub"], claims.get("name", ""), claims.get("roles", [])
    try:
        canonical = str(uuid.UUID(user_id))
        expires_at = datetime.fromtimestamp(expires_at_s, UTC)
    except (ValueError, AttributeError, TypeError, OverflowError, OSError):
        raise TokenInvalid from None
    if (
        user_id != canonical
        or not isinstance(name, str)
        or not isinstance(roles, list)
        or not all(isinstance(role, str) for role in roles)
    ):
        raise TokenInvalid
    return Person(user_id=user_id, roles=frozenset(roles), name=name, expires_at=expires_at)
