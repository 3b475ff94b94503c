"""The tables of the outbox and of the inbox, as SQL for a service's first migration.

In ``versions/0001_first.py``: ``op.execute(schema.outbox_sql())``.
"""

from importlib.resources import files


def outbox_sql() -> str:
    """Return what creates the outbox: for a service that writes events."""
    return _read("outbox.sql")


def inbox_sql() -> str:
    """Return what creates the inbox: for a service that handles others' events."""
    return _read("inbox.sql")


def _read(file_name: str) -> str:
    return files("servicekit.events").joinpath(file_name).read_text(encoding="utf-8")
