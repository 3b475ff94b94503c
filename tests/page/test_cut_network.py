"""The network goes away under an open room and comes back: nothing is missed, and it is said."""

import pytest
from playwright.async_api import Browser

from fakes.market import Market
from fakes.running_mesh import RunningMesh
from fakes.visitor import Visitor

pytestmark = pytest.mark.browser


async def test_the_room_catches_up_after_an_outage(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    auction = await market.auction(await market.seller())
    ada = await market.person(funds_minor=100_000)
    bob = await market.person(funds_minor=100_000)
    async with Visitor.arriving(browser, mesh.edge_url) as viewer:
        await viewer.enter_room(auction.auction_id)
        await ada.place_bid(auction.auction_id, maximum_minor=1_500, currency_code="USD")
        await viewer.sees_bids("$10.00")
        await viewer.page.context.set_offline(True)
        await viewer.is_told("You are offline")
        await bob.place_bid(auction.auction_id, maximum_minor=2_000, currency_code="USD")
        await ada.place_bid(auction.auction_id, maximum_minor=3_000, currency_code="USD")
        await viewer.page.context.set_offline(False)
        await viewer.is_told("Live")
        await viewer.sees_bids("$20.50", "$15.50", "$10.00")
