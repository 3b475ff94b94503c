"""Serves the built page: files below /assets for ever, the one HTML page for every other path.

`python -m stack.page_server --port PORT --folder FOLDER`
"""

import argparse
import asyncio
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from stack.ports import LOOPBACK

_FOLDER = web.AppKey("folder", Path)

_SECURITY_HEADERS = {
    # React sets style attributes; scripts stay the page's own.
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self'; img-src 'self' data: https:; font-src 'self'; "
        "style-src 'self' 'unsafe-inline'; script-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"


def find_file(folder: Path, url_path: str) -> Path | None:
    """Return the file of the folder that a path names; None when it is missing or outside."""
    if "\0" in url_path:
        return None
    root = folder.resolve()
    candidate = (root / url_path.lstrip("/")).resolve()
    return candidate if candidate.is_relative_to(root) and candidate.is_file() else None


async def _serve(request: web.Request) -> web.StreamResponse:
    folder = request.app[_FOLDER]
    path = request.match_info["path"]
    file = await asyncio.to_thread(find_file, folder, path)
    in_assets = path.startswith("assets/")
    if file is None:
        # A missing asset is missing; any other path is one of the page's own.
        if in_assets:
            raise web.HTTPNotFound
        file = folder / "index.html"
    response = web.FileResponse(file)
    response.content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    response.headers["Cache-Control"] = _IMMUTABLE if in_assets else _REVALIDATE
    return response


@web.middleware
async def _secured(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        refusal.headers.update(_SECURITY_HEADERS)
        raise
    response.headers.update(_SECURITY_HEADERS)
    return response


def page_application(folder: Path) -> web.Application:
    """Return the application that serves the folder."""
    application = web.Application(middlewares=[_secured])
    application[_FOLDER] = folder
    application.router.add_get("/{path:.*}", _serve)
    return application


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="page_server", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    application = page_application(options.folder)
    web.run_app(application, host=LOOPBACK, port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
