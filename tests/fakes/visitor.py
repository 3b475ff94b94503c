"""A person in front of the page: a browser window of their own, and what they do there."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from kernel.ids import new_id

DESK = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=360, height=740)
WITHIN_MS = 20_000
PASSWORD = "correct horse battery"


class Visitor:
    """Use ``Visitor.arriving``; it fails if the page has thrown an error."""

    def __init__(self, page: Page, edge_url: str) -> None:
        self.page = page
        self._edge_url = edge_url

    @classmethod
    @asynccontextmanager
    async def arriving(
        cls, browser: Browser, edge_url: str, *, viewport: ViewportSize = DESK
    ) -> AsyncIterator["Visitor"]:
        context = await browser.new_context(viewport=viewport, locale="en-US")
        context.set_default_timeout(WITHIN_MS)
        page = await context.new_page()
        thrown: list[str] = []
        page.on("pageerror", lambda error: thrown.append(str(error)))
        try:
            yield cls(page, edge_url)
            assert not thrown
        finally:
            await context.close()

    async def open(self, path: str) -> None:
        await self.page.goto(self._edge_url + path)

    async def sign_up(self, name: str) -> None:
        await self.open("/sign-up")
        await self.page.get_by_label("Name").fill(name)
        await self.page.get_by_label("E-mail").fill(f"{name.lower()}-{new_id()}@example.com")
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.locator("form button[type=submit]").click()
        await self.page.wait_for_url(self._edge_url + "/")

    async def deposit(self, amount: str) -> None:
        await self.open("/wallet")
        await self.page.get_by_label("Amount").fill(amount)
        await self.page.get_by_role("button", name=re.compile("^Add ")).click()
        await self.sees("The money is in your wallet.")

    async def enter_room(self, auction_id: str) -> None:
        await self.open(f"/auctions/{auction_id}")
        await self.is_told("Live")

    async def bid(self, maximum: str) -> None:
        form = self.page.get_by_role("form", name="Place a bid")
        await form.get_by_placeholder("Max").fill(maximum)
        await form.get_by_role("button", name=re.compile("^(Bid|Raise)")).click()

    async def sees(self, text: str | re.Pattern[str]) -> None:
        await expect(self.page.get_by_text(text).first).to_be_visible(timeout=WITHIN_MS)

    async def sees_bids(self, *prices: str) -> None:
        """The bid history shows exactly these prices, newest first."""
        rows = self.history.get_by_role("listitem")
        await expect(rows).to_have_count(len(prices), timeout=WITHIN_MS)
        for index, price in enumerate(prices):
            await expect(rows.nth(index)).to_contain_text(price)

    async def is_told(self, words: str | re.Pattern[str]) -> None:
        """A status line of the page says so."""
        told = self.page.get_by_role("status").filter(has_text=words)
        await expect(told.first).to_be_visible(timeout=WITHIN_MS)

    @property
    def history(self) -> Locator:
        return self.page.get_by_role("region", name="Bids")

    async def fits_its_window(self) -> bool:
        """Nothing hangs out to the side."""
        return bool(
            await self.page.evaluate(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
        )
