"""The keys that sign access tokens: PEM files in a folder that replicas may share.

Every key in the folder is published. A new one does not sign at once: it is first published for ten
minutes, so that everybody who keeps a copy of the key set (Envoy, the services) knows it when its
first token comes along. Removing a file withdraws its key.
"""

import asyncio
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm
from jwt.utils import base64url_encode

PUBLISHED_S_MIN = 600.0
RETIRED_S_MIN = 86_400.0
RELOAD_S = 2.0
FILE_TIME_FORMAT = "signing-%Y%m%dT%H%M%SZ"

log = structlog.get_logger(__name__)


class SigningKeysUnusable(Exception):
    """The folder of signing keys cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key; ``key_id`` is its RFC 7638 thumbprint, ``created_at_s`` is Unix time."""

    key_id: str
    private_key: EllipticCurvePrivateKey = field(repr=False)
    created_at_s: float
    path: Path


class SigningKeys:
    """The keys of one folder, as last read; ``SigningKeysUnusable`` if there is none."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._keys = read_keys(folder)
        self._document = _jwks(self._keys)

    @property
    def current(self) -> SigningKey:
        """The key that signs: the newest that is known everywhere, or else the oldest."""
        known_since_s = self._clock() - PUBLISHED_S_MIN
        known = [key for key in self._keys if key.created_at_s <= known_since_s]
        return known[-1] if known else self._keys[0]

    async def jwks(self) -> bytes:
        """Return the public halves of all keys, as a JSON Web Key Set (RFC 7517)."""
        return self._document

    def reload(self) -> None:
        """Read the folder again; what cannot be used leaves the keys as they are."""
        try:
            keys = read_keys(self._folder)
        except (SigningKeysUnusable, OSError) as error:
            log.warning("signing_keys_unusable", error=str(error))
            return
        if [key.key_id for key in keys] != [key.key_id for key in self._keys]:
            log.info("signing_keys_changed", key_ids=[key.key_id for key in keys])
        self._keys, self._document = keys, _jwks(keys)

    async def run(self) -> NoReturn:
        """Notice added and removed keys, for ever."""
        while True:
            await asyncio.sleep(RELOAD_S)
            await asyncio.to_thread(self.reload)


def read_keys(folder: Path) -> list[SigningKey]:
    """Return the keys of a folder, oldest first; ``SigningKeysUnusable`` if there is none."""
    keys = [_read_key(path) for path in folder.glob("*.pem")]
    if not keys:
        raise SigningKeysUnusable(f"no signing key (*.pem) in {folder}: add one with rotate-keys")
    return sorted(keys, key=lambda key: (key.created_at_s, key.path.name))


def ensure_key(folder: Path, *, now_s: float) -> None:
    """Create the first key if the folder has none; of several replicas one does."""
    with _locked(folder):
        if not any(folder.glob("*.pem")):
            _create_key(folder, now_s=now_s)


def rotate_keys(folder: Path, *, now_s: float) -> SigningKey:
    """Add a key, and remove those that have not signed for more than a day; return the new one."""
    with _locked(folder):
        keys = read_keys(folder) if any(folder.glob("*.pem")) else []
        for key, successor in pairwise(keys):
            if successor.created_at_s + PUBLISHED_S_MIN + RETIRED_S_MIN < now_s:
                key.path.unlink()
        return _create_key(folder, now_s=now_s)


def thumbprint(private_key: EllipticCurvePrivateKey) -> str:
    """Return the RFC 7638 thumbprint of a key: SHA-256 of its required members, in order."""
    public: dict[str, Any] = ECAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
    required = {name: public[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    return base64url_encode(hashlib.sha256(canonical.encode()).digest()).decode()


def _jwks(keys: list[SigningKey]) -> bytes:
    entries = [
        ECAlgorithm.to_jwk(key.private_key.public_key(), as_dict=True)
        | {"kid": key.key_id, "use": "sig", "alg": "ES256"}
        for key in keys
    ]
    return json.dumps({"keys": entries}).encode()


def _read_key(path: Path) -> SigningKey:
    try:
        private_key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeysUnusable(f"{path} is not an unencrypted private key in PEM") from error
    if not isinstance(private_key, EllipticCurvePrivateKey) or not isinstance(
        private_key.curve, SECP256R1
    ):
        raise SigningKeysUnusable(f"{path} is not a key on the curve P-256")
    return SigningKey(thumbprint(private_key), private_key, _created_at_s(path), path)


def _created_at_s(path: Path) -> float:
    """Return the time in a file's name; of a file that others named, that of its last change."""
    try:
        named = datetime.strptime(path.stem.rpartition("-")[0], FILE_TIME_FORMAT)  # noqa: DTZ007
    except ValueError:
        return path.stat().st_mtime
    return named.replace(tzinfo=UTC).timestamp()


def _create_key(folder: Path, *, now_s: float) -> SigningKey:
    private_key = generate_private_key(SECP256R1())
    key_id = thumbprint(private_key)
    time_part = datetime.fromtimestamp(now_s, UTC).strftime(FILE_TIME_FORMAT)
    # The thumbprint may hold a "-": its letters and digits are enough to tell two files apart.
    path = folder / f"{time_part}-{''.join(filter(str.isalnum, key_id))[:12]}.pem"
    unfinished = path.with_suffix(".new")
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    return SigningKey(key_id, private_key, _created_at_s(path), path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
