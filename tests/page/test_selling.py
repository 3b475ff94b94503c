"""A person becomes a seller, puts something up, and ends it at the price that was bid."""

import pytest
from playwright.async_api import Browser

from fakes.market import Market
from fakes.running_mesh import RunningMesh
from fakes.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser


async def test_a_seller_goes_live_from_a_phone(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    async with Visitor.arriving(browser, mesh.edge_url, viewport=PHONE) as seller:
        await seller.sign_up("Grace")
        await seller.open("/sell")
        await seller.page.get_by_label("Shop name").fill("Grace's Clocks")
        await seller.page.locator("form button[type=submit]").click()
        await seller.page.get_by_label("Title").fill("Mantel clock, 1920s")
        await seller.page.get_by_label("Opening price").fill("25")
        assert await seller.fits_its_window()
        await seller.page.get_by_role("button", name="Start auction").click()
        await seller.page.wait_for_url("**/auctions/*")
        auction_id = seller.page.url.rsplit("/", maxsplit=1)[-1]
        auction = (await market.blytz.get_auction(auction_id)).auction
        assert (auction.title, auction.price.amount_minor) == ("Mantel clock, 1920s", 25_00)
        bidder = await market.person(funds_minor=10_000)
        await bidder.place_bid(auction_id, maximum_minor=3_000, currency_code="USD")
        await seller.sees_bids("$25.00")
