"""An issuer of access tokens for tests: it signs whatever it is told to, right or wrong."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

ISSUER = "https://issuer.test"
AUDIENCE = "blytz-test"
USER_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
NOW_S = 1_800_000_000.0


class TokenMint:
    """Keys by id, a JWKS that counts its fetches, and tokens of every shape."""

    def __init__(self, *key_ids: str) -> None:
        self.keys: dict[str, EllipticCurvePrivateKey] = {}
        self.fetch_count = 0
        self.fetch_error: Exception | None = None
        for key_id in key_ids or ("first",):
            self.add_key(key_id)

    def add_key(self, key_id: str) -> None:
        self.keys[key_id] = generate_private_key(SECP256R1())

    async def fetch_keys(self) -> bytes:
        self.fetch_count += 1
        if self.fetch_error is not None:
            raise self.fetch_error
        return self.jwks()

    def jwks(self) -> bytes:
        entries = [
            ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
            | {"kid": key_id, "use": "sig", "alg": "ES256"}
            for key_id, key in self.keys.items()
        ]
        return json.dumps({"keys": entries}).encode()

    def public_pem(self, key_id: str = "first") -> bytes:
        public_key = self.keys[key_id].public_key()
        return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def token(
        self,
        *,
        key_id: str = "first",
        header: Mapping[str, Any] | None = None,
        without: str = "",
        signing_key: EllipticCurvePrivateKey | None = None,
        **claims: Any,
    ) -> str:
        """Return a token that is right but for what the arguments change."""
        payload = right_claims() | claims
        payload.pop(without, None)
        headers: dict[str, Any] = {"typ": "at+jwt", "kid": key_id} | dict(header or {})
        if without == "typ":
            headers["typ"] = None  # PyJWT's way to leave it out
        else:
            headers.pop(without, None)
        key = signing_key or self.keys[key_id]
        return jwt.encode(payload, key, algorithm="ES256", headers=headers)


def right_claims() -> dict[str, Any]:
    """Return the claims of a good token at ``NOW_S``."""
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": USER_ID,
        "name": "Ada",
        "roles": ["SELLER"],
        "iat": int(NOW_S),
        "nbf": int(NOW_S),
        "exp": int(NOW_S) + 900,
        "jti": "a-token",
        "sid": "a-sign-in",
    }


def handmade(header: Mapping[str, Any], payload: Mapping[str, Any], *, secret: bytes = b"") -> str:
    """Return a token with exactly this header: signed by HMAC with ``secret``, or not at all."""
    signed = f"{_base64url(json.dumps(header).encode())}.{_base64url(json.dumps(payload).encode())}"
    signature = hmac.digest(secret, signed.encode(), hashlib.sha256) if secret else b""
    return f"{signed}.{_base64url(signature)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
