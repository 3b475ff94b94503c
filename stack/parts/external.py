"""Parts that run somewhere else and were named by a URL: awaited and settled, never started."""

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

import psycopg
import redis
from confluent_kafka import KafkaException

from stack.part import NotReady, Part
from stack.parts.kafka import ensure_topics
from stack.parts.postgres_roles import ensure_database, with_credentials
from stack.secret import Secret

_TIMEOUT_S = 5.0


class ExternalPart(Part):
    """A part without a process of ours: what cannot be reached in a while is reported at once."""

    ready_within_s = 20.0
    attempts_max = 1

    def command(self) -> None:
        """Start nothing."""


class ExternalPostgres(ExternalPart):
    """Somebody's Postgres, reached by a URL that may create roles and databases."""

    name = "postgres"

    def __init__(self, *, url: str, secret: Secret, databases: Iterable[str]) -> None:
        self.url = url
        self._secret = secret
        self._databases = tuple(databases)
        self.address = urlsplit(url).netloc.rpartition("@")[2]

    def database_url(self, database: str) -> str:
        """Return the address of a database as its own role, which owns it."""
        return with_credentials(self.url, database, self._password(database), database=database)

    async def probe(self) -> None:
        """Be ready when each role and database is there."""
        try:
            await asyncio.to_thread(self._ensure_databases)
        except psycopg.Error as error:
            raise NotReady(str(error)) from error

    def _ensure_databases(self) -> None:
        for database in self._databases:
            ensure_database(self.url, database, password=self._password(database))

    def _password(self, role: str) -> str:
        return self._secret.derive(f"postgres/{role}")


class ExternalKafka(ExternalPart):
    """Somebody's Kafka."""

    name = "kafka"

    def __init__(self, *, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.address = bootstrap

    async def probe(self) -> None:
        """Be ready when the topics are there."""
        try:
            await asyncio.to_thread(ensure_topics, self.bootstrap)
        except KafkaException as error:
            raise NotReady(str(error)) from error


class ExternalRedis(ExternalPart):
    """Somebody's Redis."""

    name = "redis"

    def __init__(self, *, url: str) -> None:
        self.url = url
        self.address = urlsplit(url).netloc.rpartition("@")[2]

    async def probe(self) -> None:
        """Be ready when it answers PING."""
        try:
            await asyncio.to_thread(self._ping)
        except redis.RedisError as error:
            raise NotReady(str(error)) from error

    def _ping(self) -> None:
        with redis.Redis.from_url(self.url, socket_timeout=_TIMEOUT_S) as client:
            client.ping()
