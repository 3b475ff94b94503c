"""The entry point: one gateway, its public calls, and sign-in."""

from types import TracebackType
from typing import Self

from blytz.identity.v1 import auth_service_pb2
from blytz.identity.v1.auth_service_pb2 import (
    LoginRequest,
    LoginResponse,
    RegisterRequest,
    RegisterResponse,
)
from blytz_client.connection import Connection
from blytz_client.session import AUTH, Session
from blytz_client.show_calls import PublicShowCalls


class Blytz(PublicShowCalls):
    """A gateway at ``edge_url``, such as ``http://127.0.0.1:8080``.

    ``tls`` are root certificates (PEM) for ``https://`` when the system's do not do. All sessions
    share ``connections`` HTTP/2 connections, so hundreds of people in one process are cheap.
    """

    def __init__(self, edge_url: str, *, tls: bytes | None = None, connections: int = 1) -> None:
        super().__init__(Connection(edge_url, root_certificates=tls, connections=connections))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, also those of every session."""
        await self._connection.close()

    async def register(self, *, email: str, password: str, display_name: str) -> Session:
        """Create an account and return its first session."""
        request = RegisterRequest(email=email, password=password, display_name=display_name)
        response = await self._call(AUTH["Register"], request, RegisterResponse)
        return self.resume(response.session)

    async def login(self, *, email: str, password: str) -> Session:
        """Return a new session of an account."""
        request = LoginRequest(email=email, password=password)
        response = await self._call(AUTH["Login"], request, LoginResponse)
        return self.resume(response.session)

    def resume(self, tokens: auth_service_pb2.Session) -> Session:
        """Return a session that was kept, for example in a file."""
        return Session(connection=self._connection, tokens=tokens)
