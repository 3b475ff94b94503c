"""Roles and databases, made sure of on any Postgres, ours or somebody else's."""

from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

_CONNECT_TIMEOUT_S = 10


def with_credentials(url: str, user: str, password: str, *, database: str = "") -> str:
    """Return the same server as another user, and, where given, another database."""
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{server}"
    path = f"/{quote(database, safe='')}" if database else parts.path
    return urlunsplit((parts.scheme, netloc, path, parts.query, ""))


def with_database(url: str, database: str) -> str:
    """Return the same server and user with another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{quote(database, safe='')}"))


def ensure_database(admin_url: str, name: str, *, password: str) -> None:
    """Make sure that the role and the database it owns exist, however often it is called."""
    url = admin_url if urlsplit(admin_url).path.strip("/") else with_database(admin_url, "postgres")
    role = sql.Identifier(name)
    with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
        known = connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone()
        verb = sql.SQL("alter role" if known else "create role")
        statement = sql.SQL("{} {} login password {}").format(verb, role, sql.Literal(password))
        connection.execute(statement)
        there = connection.execute("select 1 from pg_database where datname = %s", [name])
        if there.fetchone() is None:
            # An administrator who is no superuser may give a database only to a role it is in.
            connection.execute(sql.SQL("grant {} to current_user").format(role))
            connection.execute(sql.SQL("create database {} owner {}").format(role, role))
        # Nobody reads another's tables; without this every role might at least enter.
        connection.execute(sql.SQL("revoke all on database {} from public").format(role))
