"""The entry point that every service shares: settings, wiring, serve and drain; roles."""

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import structlog
import uvloop
from google.protobuf.empty_pb2 import Empty

from blytz.identity.v1.auth_service_pb2_grpc import AuthServiceStub
from servicekit import logs, telemetry
from servicekit.admin import Check, admin_server
from servicekit.background import Loop, running
from servicekit.channels import Channels
from servicekit.errors import DependencyUnavailable
from servicekit.rpc import RpcAdapter
from servicekit.server import GrpcServer, Rpc
from servicekit.settings import ServiceSettings, SettingsError, load
from servicekit.tls import (
    MeshIdentity,
    caller_from_forwarded_certificate,
    caller_from_tls,
)
from servicekit.tokens import TokenVerifier
from servicekit.workers import run_workers

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kit:
    """What a process has before its service is wired.

    ``channels`` reach the other services; ``stopping`` is set when the process is told to stop, and
    long streams should then end with a position.
    """

    channels: Channels
    stopping: asyncio.Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Wiring:
    """A wired service: what it serves, what runs beside it, and what must be there to be ready.

    ``jwks`` is set only by the service that owns the keys; the others ask it.
    """

    rpc: Sequence[Rpc]
    background: Sequence[Loop] = ()
    ready: Sequence[Check] = ()
    jwks: Callable[[], Awaitable[bytes]] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A deployable: its name on the mesh, its settings, how it is wired, and its further roles.

    ``migrations`` is the package whose ``versions`` are its Alembic history; ``roles`` are further
    sub-commands, each an ``async (settings, kit, arguments) -> exit code``.
    """

    name: str
    settings: type[ServiceSettings]
    wire: Callable[[Any, Kit], AbstractAsyncContextManager[Wiring]]
    migrations: str | None = None
    roles: Mapping[str, Callable[[Any, Kit, Sequence[str]], Awaitable[int]]] = field(
        default_factory=dict
    )


def main(service: Service) -> NoReturn:
    """Run the sub-command of ``sys.argv``: ``serve``, ``migrate`` or one of the service's roles."""
    parser = argparse.ArgumentParser(prog=f"svc_{service.name}")
    parser.add_argument(
        "role", nargs="?", default="serve", choices=["serve", "migrate", *service.roles]
    )
    parser.add_argument("--workers", type=int, default=1, help="processes, each with its own port")
    parsed, rest = parser.parse_known_args()
    try:
        settings = load(service.settings)
    except SettingsError as error:
        sys.exit(f"svc_{service.name}: {error}")
    logs.configure(service=service.name, level=settings.log_level)
    if parsed.role == "migrate":
        if service.migrations is not None:
            # A server never migrates; SQLAlchemy and Alembic would cost it a third of a second.
            from servicekit import migrations

            migrations.upgrade(settings.postgres_url, service.migrations)
        sys.exit(0)
    if parsed.workers > 1:
        sys.exit(run_workers(settings, role=parsed.role, count=parsed.workers))
    telemetry.configure(
        service=service.name,
        otlp_endpoint=settings.otlp_endpoint,
        sample_ratio=settings.trace_sample_ratio,
    )
    try:
        sys.exit(uvloop.run(_run(service, parsed.role, settings, rest)))
    except SettingsError as error:
        sys.exit(f"svc_{service.name}: {error}")


async def _run(
    service: Service, role: str, settings: ServiceSettings, arguments: Sequence[str]
) -> int:
    if role == "serve":
        return await serve(service, settings)
    async with _kit(settings) as kit:
        return await service.roles[role](settings, kit, arguments)


async def serve(service: Service, settings: ServiceSettings) -> int:
    """Serve until SIGTERM or SIGINT, then drain: not ready, streams end, calls finish, stop."""
    async with AsyncExitStack() as stack:
        kit = await stack.enter_async_context(_kit(settings))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, kit.stopping.set)
        wiring = await stack.enter_async_context(service.wire(settings, kit))
        identity = MeshIdentity.load(settings.tls_dir)
        verifier = TokenVerifier(
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            fetch_keys=wiring.jwks or _keys_from_identity(kit),
        )
        stack.push_async_callback(verifier.close)
        server = GrpcServer(
            adapter=RpcAdapter(caller_of=_caller_of(settings), verifier=verifier),
            rpc=wiring.rpc,
            credentials=identity.server_credentials(),
            address=settings.grpc_address,
            concurrent_calls_max=settings.concurrent_calls_max,
            reflect=settings.environment == "development",
        )
        await stack.enter_async_context(running(wiring.background))
        await server.start()
        await stack.enter_async_context(
            admin_server(
                settings.admin_address, checks=[_not_stopping(kit.stopping), *wiring.ready]
            )
        )
        _spare_the_collector()
        log.info("serving", address=settings.grpc_address)
        await kit.stopping.wait()
        log.info("draining")
        await server.drain(grace_s=settings.drain_grace_s, delay_s=settings.drain_delay_s)
    log.info("stopped")
    return 0


def _spare_the_collector() -> None:
    """Leave what was made at the start out of garbage collection, and collect less often.

    A call makes many objects and hardly a cycle; going through all of them is work for nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@asynccontextmanager
async def _kit(settings: ServiceSettings) -> AsyncIterator[Kit]:
    channels = Channels(
        identity=MeshIdentity.load(settings.tls_dir),
        addresses={
            "identity": settings.identity_address,
            "auction": settings.auction_address,
            "payment": settings.payment_address,
            "realtime": settings.realtime_address,
        },
    )
    try:
        yield Kit(channels=channels, stopping=asyncio.Event())
    finally:
        await channels.close()


def _caller_of(settings: ServiceSettings) -> Any:
    if settings.peer_identity == "xfcc":
        return caller_from_forwarded_certificate(settings.trust_domain)
    return caller_from_tls(settings.trust_domain)


def _keys_from_identity(kit: Kit) -> Callable[[], Awaitable[bytes]]:
    async def fetch() -> bytes:
        response = await kit.channels.stub(AuthServiceStub).GetJwks(Empty())
        return bytes(response.data)

    return fetch


def _not_stopping(stopping: asyncio.Event) -> Check:
    async def check() -> None:
        if stopping.is_set():
            raise DependencyUnavailable(dependency="this replica: it is draining")

    return check
