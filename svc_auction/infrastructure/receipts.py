"""The keys that sign receipts, and receipts as JSON Web Signatures (RFC 7515, ES256).

Keys come from one PEM file: the first signs, all are published, so that receipts of earlier keys
stay checkable. In development, without a file, a key is derived from the service's secret, so that
all replicas have the same one.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm
from jwt.utils import base64url_encode

from servicekit.settings import SettingsError

ALGORITHM: Final = "ES256"
RECEIPT_TYPE: Final = "bid-receipt+jwt"

_PEM_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_CURVE = ec.SECP256R1()
_CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The number of points of P-256 (FIPS 186-5): private keys lie below it, and above zero."""
_DERIVED_BYTES = 48
"""Half as many again as a key has, so that no key is likelier than another."""


class ReceiptKeysUnusable(SettingsError):
    """The file of receipt keys cannot be used; the message says why."""


class ReceiptKeys:
    """Signs receipts with the first of its keys; use ``read`` or ``derived_from``."""

    def __init__(self, private_keys: Sequence[ec.EllipticCurvePrivateKey]) -> None:
        self._signing_key = private_keys[0]
        self.public = tuple(_jwk(key.public_key()) for key in private_keys)
        """The public halves as JSON Web Keys (RFC 7517), the one that signs first."""

    @classmethod
    def read(cls, path: Path) -> "ReceiptKeys":
        """Read a PEM file with one private key or more; ``ReceiptKeysUnusable`` if it is not."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ReceiptKeysUnusable(f"{path} cannot be read: {error.strerror}") from error
        keys = [_load(match.group(), path) for match in _PEM_KEY.finditer(content)]
        if not keys:
            raise ReceiptKeysUnusable(f"{path} holds no private key in PEM")
        return cls(keys)

    @classmethod
    def derived_from(cls, secret: str) -> "ReceiptKeys":
        """Derive one key from a secret, the same for the same secret (RFC 5869)."""
        derivation = HKDF(SHA256(), _DERIVED_BYTES, salt=None, info=b"blytz bid receipts")
        number = int.from_bytes(derivation.derive(secret.encode()), "big")
        return cls([ec.derive_private_key(1 + number % (_CURVE_ORDER - 1), _CURVE)])

    def sign(self, claims: Mapping[str, str | int]) -> str:
        """Return the claims as a compact JSON Web Signature."""
        return jwt.encode(
            dict(claims),
            self._signing_key,
            algorithm=ALGORITHM,
            headers={"kid": self.public[0]["kid"], "typ": RECEIPT_TYPE},
        )


def _load(pem: bytes, path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ReceiptKeysUnusable(f"{path} is not made of unencrypted private keys") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != _CURVE.name:
        raise ReceiptKeysUnusable(f"{path} holds a key that is not on the curve P-256")
    return key


def _jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """Return a public key as a JSON Web Key; its id is its thumbprint (RFC 7638)."""
    public: dict[str, Any] = ECAlgorithm.to_jwk(key, as_dict=True)
    required = {name: str(public[name]) for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    thumbprint = base64url_encode(hashlib.sha256(canonical.encode()).digest()).decode()
    return {**required, "alg": ALGORITHM, "use": "sig", "kid": thumbprint}
