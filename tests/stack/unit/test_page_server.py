import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from stack.page_server import find_file, page_application

Client = TestClient[web.Request, web.Application]
PAGE = "<!doctype html><title>Blytz</title>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    page = tmp_path / "dist"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text(PAGE)
    (page / "assets" / "app-1a2b.js").write_text("go()")
    (page / "icon.svg").write_text("<svg/>")
    (page / "way-out").symlink_to(tmp_path / "secret.txt")
    return page


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(page_application(folder))) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/auctions/0198", "/sign-in"])
async def test_every_page_is_the_one_page_and_is_asked_for_again(client: Client, path: str) -> None:
    response = await client.get(path)
    assert await response.text() == PAGE
    assert response.content_type == "text/html"
    assert response.headers["Cache-Control"] == "no-cache"
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_assets_are_kept_for_ever(client: Client) -> None:
    response = await client.get("/assets/app-1a2b.js")
    assert response.content_type == "text/javascript"
    assert "immutable" in response.headers["Cache-Control"]
    missing = await client.get("/assets/app-none.js")
    assert missing.status == 404
    assert missing.headers["X-Content-Type-Options"] == "nosniff"


async def test_other_files_are_served_as_what_they_are(
    client: Client,
) -> None:
    response = await client.get("/icon.svg")
    assert response.content_type == "image/svg+xml"
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/assets/../../secret.txt", "//../secret.txt", "/way-out", "/a\0b"]
)
def test_nothing_outside_the_folder_is_found(folder: Path, path: str) -> None:
    assert find_file(folder, path) is None


@pytest.mark.parametrize(
    "target", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/way-out"]
)
async def test_no_spelling_of_a_path_leads_outside(client: Client, target: str) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert b"secret" not in answer.replace(target.encode(), b"")


async def test_only_reading_is_allowed(client: Client) -> None:
    assert (await client.post("/")).status == 405
