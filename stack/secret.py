"""The one secret of a data folder, from which every password of the stack derives."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Self

_SECRET_BYTES = 32


class Secret:
    """Derives passwords that a second start knows again."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the secret; make it at the first call. Only its owner may read the file."""
        if not path.exists():
            fresh = path.with_suffix(".new")
            descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_SECRET_BYTES))
            fresh.rename(path)
        return cls(path.read_bytes())

    def derive(self, purpose: str) -> str:
        """Return the password for a purpose, 64 hexadecimal characters."""
        return hmac.new(self._value, purpose.encode(), hashlib.sha256).hexdigest()
