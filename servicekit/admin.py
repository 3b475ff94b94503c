"""The plain HTTP port for operators and probes: ``/livez``, ``/readyz``, ``/metrics``."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from servicekit.telemetry import METRICS_CONTENT_TYPE, render_metrics

Check = Callable[[], Awaitable[None]]
"""Raises when a part that the service needs is away."""


@asynccontextmanager
async def admin_server(address: str, *, checks: Sequence[Check]) -> AsyncIterator[None]:
    """Serve the admin port at ``host:port`` while the context is open.

    ``/livez`` answers as long as the loop turns; ``/readyz`` is 503 with the reason while a check
    fails.
    """

    async def live(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_request: web.Request) -> web.Response:
        for check in checks:
            try:
                await check()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is why we are not ready
                return web.Response(status=503, text=f"{error}\n")
        return web.Response(text="ok\n")

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=render_metrics(), headers={"content-type": METRICS_CONTENT_TYPE})

    application = web.Application()
    application.add_routes(
        [web.get("/livez", live), web.get("/readyz", ready), web.get("/metrics", metrics)]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    host, port = address.rsplit(":", maxsplit=1)
    try:
        await web.TCPSite(runner, host, int(port)).start()
        yield
    finally:
        await runner.cleanup()
