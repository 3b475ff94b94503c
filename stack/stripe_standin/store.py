"""What the stand-in remembers: objects, answers by idempotency key, and webhooks not yet delivered.

One call's effects are one transaction, so that a crash in the middle leaves nothing half done.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists objects (
  sequence integer primary key autoincrement,
  id text not null unique,
  kind text not null,
  body text not null
);
create table if not exists answers (
  key text primary key,
  fingerprint text not null,
  status integer not null,
  body text not null
);
create table if not exists webhooks (
  event_id text primary key,
  attempts integer not null default 0
);
"""


def new_id(prefix: str) -> str:
    """Return an id in Stripe's form, such as `pi_3f…`."""
    return f"{prefix}_{secrets.token_hex(12)}"


def now_s() -> int:
    """Return the time as Stripe's objects carry it, in whole seconds."""
    return int(time.time())


class Store:
    """An SQLite file; `:memory:` when nothing need be kept."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything that the block writes, or nothing."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def put(self, body: dict[str, Any]) -> None:
        """Write an object, new or changed."""
        self._connection.execute(
            "insert into objects (id, kind, body) values (?, ?, ?)"
            " on conflict (id) do update set body = excluded.body",
            (body["id"], body["object"], json.dumps(body)),
        )

    def get(self, kind: str, object_id: str) -> dict[str, Any] | None:
        """Return an object, None when there is none of that kind with that id."""
        row = self._connection.execute(
            "select body from objects where kind = ? and id = ?", (kind, object_id)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def newest(self, kind: str) -> Iterator[dict[str, Any]]:
        """Return all objects of a kind, newest first."""
        rows = self._connection.execute(
            "select body from objects where kind = ? order by sequence desc", (kind,)
        )
        return (json.loads(row[0]) for row in rows)

    def answer_to(self, key: str) -> tuple[str, int, str] | None:
        """Return the fingerprint, status and body first answered to an idempotency key."""
        row = self._connection.execute(
            "select fingerprint, status, body from answers where key = ?", (key,)
        ).fetchone()
        return None if row is None else (row[0], row[1], row[2])

    def keep_answer(self, key: str, fingerprint: str, status: int, body: str) -> None:
        """Keep what was answered to an idempotency key."""
        self._connection.execute(
            "insert into answers values (?, ?, ?, ?)", (key, fingerprint, status, body)
        )

    def owe_webhook(self, event_id: str) -> None:
        """Note that an event has to be delivered."""
        self._connection.execute("insert into webhooks (event_id) values (?)", (event_id,))

    def owed_webhooks(self) -> list[str]:
        """Return the events not yet delivered, oldest first."""
        rows = self._connection.execute("select event_id from webhooks order by rowid")
        return [row[0] for row in rows]

    def settle_webhook(self, event_id: str) -> None:
        """Note that an event was delivered, or given up."""
        self._connection.execute("delete from webhooks where event_id = ?", (event_id,))
