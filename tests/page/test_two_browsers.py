"""Two people on the page: one bids, the other sees it; both need nothing but the page."""

import re

import pytest
from playwright.async_api import Browser

from fakes.market import Market
from fakes.running_mesh import RunningMesh
from fakes.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser


async def test_a_bid_in_one_browser_appears_in_the_other(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    auction = await market.auction(await market.seller())
    async with (
        Visitor.arriving(browser, mesh.edge_url) as ada,
        Visitor.arriving(browser, mesh.edge_url, viewport=PHONE) as bob,
    ):
        await bob.enter_room(auction.auction_id)
        await bob.sees("No bids yet.")
        await ada.sign_up("Ada")
        await ada.deposit("500")
        await ada.enter_room(auction.auction_id)
        await ada.bid("40")
        await ada.is_told("You lead")
        await bob.sees_bids("$10.00")
        assert await bob.fits_its_window()

        await bob.sign_up("Bob")
        await bob.enter_room(auction.auction_id)
        await bob.bid("60")
        # Bob has no money: the page offers to add just what is missing.
        await bob.page.get_by_role("button", name="Add $60.00").click()
        await (
            bob.page.get_by_role("form", name="Place a bid")
            .get_by_role("button", name=re.compile("^Bid"))
            .click()
        )
        await bob.is_told("You lead")
        await ada.is_told("You are outbid")
        await ada.sees_bids("$41.00", "$10.00")
        assert await bob.fits_its_window()


async def test_nonsense_is_answered_with_a_sentence(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    auction = await market.auction(await market.seller())
    async with Visitor.arriving(browser, mesh.edge_url) as ada:
        await ada.sign_up("Ada")
        await ada.enter_room(auction.auction_id)
        field = ada.page.get_by_placeholder("Max")
        await field.fill("a lot")
        assert await field.get_attribute("aria-invalid") == "true"
        await ada.bid("3")
        await ada.sees(re.compile(r"\$10\.00"))
        await ada.sees("No bids yet.")
        await ada.open("/auctions/not-an-auction")
        await ada.sees("There is nothing under this address.")
