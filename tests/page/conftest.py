"""A headless Chromium for the page's tests, and people who each have a browser of their own."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from fakes.market import Market
from fakes.running_mesh import RunningMesh

_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path. Without one the tests are skipped, unless they are required."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("BLYTZ_BROWSER_REQUIRED"):
            pytest.fail("there is no chromium here, and BLYTZ_BROWSER_REQUIRED is set")
        pytest.skip("there is no chromium here")
    return path


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture
async def market(mesh: RunningMesh) -> AsyncIterator[Market]:
    async with Market.on(mesh) as market:
        yield market
