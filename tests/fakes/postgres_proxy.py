"""A Postgres behind a wire that is cut at the worst moment: after a commit, before its answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class PostgresProxy:
    """Forwards bytes; ``lose_commit(n)`` has the n-th COMMIT from now done and its answer lost."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._port = 0
        self._commits_to_loss = 0
        self._commits_lost = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        user, _, _ = self._target.netloc.rpartition("@")
        return urlunsplit(self._target._replace(netloc=f"{user}@127.0.0.1:{self._port}"))

    @property
    def commits_lost(self) -> int:
        return self._commits_lost

    def lose_commit(self, number: int = 1) -> None:
        self._commits_to_loss = number

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["PostgresProxy"]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.close()
            await server.wait_closed()

    async def _connected(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        database, forth = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._writers |= {back, forth}
        answers = asyncio.create_task(self._answer(database, back))
        try:
            while chunk := await client.read(65_536):
                lost = False
                if self._commits_to_loss and b"COMMIT" in chunk:
                    self._commits_to_loss -= 1
                    lost = self._commits_to_loss == 0
                if lost:
                    answers.cancel()
                    await asyncio.gather(answers, return_exceptions=True)
                forth.write(chunk)
                await forth.drain()
                if lost:
                    await _committed(database)
                    self._commits_lost += 1
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)
            for writer in (back, forth):
                self._writers.discard(writer)
                writer.close()

    async def _answer(self, database: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        # A database that ends a connection may reset it: the client hears of that as well.
        with suppress(ConnectionError):
            while chunk := await database.read(65_536):
                back.write(chunk)
                await back.drain()
        back.close()


async def _committed(database: asyncio.StreamReader) -> None:
    """Read on until the database says that the transaction is committed."""
    seen = b""
    while b"COMMIT\x00" not in seen:
        chunk = await database.read(65_536)
        assert chunk, "The database went away instead of committing."
        seen += chunk
