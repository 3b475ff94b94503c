"""Columns of many rows as Postgres array literals, for ``unnest`` on the hot path.

psycopg writes lists element by element, with two regular expressions for each; for values whose
form is known that is most of the cost of a batch. The literals' form: Postgres manual, 8.15.6.
"""

import re
from collections.abc import Iterable
from datetime import datetime

_PLAIN = re.compile(r"[A-Za-z0-9._:-]+(,[A-Za-z0-9._:-]+)*")


def ids(values: Iterable[str | None]) -> str:
    """Return canonical ids as an array; none is ``null``."""
    return "{" + ",".join(value or "null" for value in values) + "}"


def integers(values: Iterable[int | None]) -> str:
    """Return integers as an array; none is ``null``."""
    return "{" + ",".join(["null" if value is None else str(value) for value in values]) + "}"


def booleans(values: Iterable[bool]) -> str:
    """Return truth values as an array."""
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"


def times(values: Iterable[datetime | None]) -> str:
    """Return aware times as an array; none is ``null``."""
    return "{" + ",".join(value.isoformat() if value else "null" for value in values) + "}"


def octets(values: Iterable[bytes]) -> str:
    """Return byte strings as an array of ``bytea``."""
    return "{" + ",".join([f'"\\\\x{value.hex()}"' for value in values]) + "}"


def texts(values: Iterable[str]) -> str:
    """Return texts as an array; plain words are taken as they are."""
    listed = list(values)
    joined = ",".join(listed)
    if (
        _PLAIN.fullmatch(joined)
        and joined.count(",") == len(listed) - 1
        and "null" not in joined.lower()
    ):
        return "{" + joined + "}"
    return "{" + ",".join('"' + _escaped(value) + '"' for value in listed) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
