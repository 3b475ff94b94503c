"""Formats in front of people: what a visitor sees of each, and what their buttons do."""

import re

from google.protobuf.duration_pb2 import Duration
from playwright.async_api import Browser, expect

from blytz.auction.v1.auction_pb2 import (
    AuctionFormat,
    BuyNow,
    BuyNowAvailability,
    FallingPrice,
)
from fakes.market import OPENING_MINOR, Market, money, terms_of
from fakes.running_mesh import RunningMesh
from fakes.visitor import PHONE, Visitor

Format = AuctionFormat


async def a_bidder(visitor: Visitor, name: str, auction_id: str) -> None:
    """Sign up, pay in, and enter the room."""
    await visitor.sign_up(name)
    await visitor.deposit("500")
    await visitor.enter_room(auction_id)


async def test_the_first_to_take_a_falling_price_has_the_lot(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    falling = FallingPrice(drop_minor=50, every=Duration(seconds=1), floor_minor=2_00)
    terms = terms_of(Format.AUCTION_FORMAT_DUTCH, falling_price=falling)
    auction = await market.auction(await market.seller(), terms=terms)
    async with (
        Visitor.arriving(browser, mesh.edge_url) as ada,
        Visitor.arriving(browser, mesh.edge_url, viewport=PHONE) as bob,
    ):
        await a_bidder(ada, "Ada", auction.auction_id)
        await bob.enter_room(auction.auction_id)
        assert await bob.fits_its_window()
        take = ada.page.get_by_role("button", name="Take it for")
        await expect(take).not_to_have_text(f"Take it for ${OPENING_MINOR / 100:.2f}")
        await take.click()
        await ada.is_told("You took it!")
        await bob.is_told(re.compile(r"Sold for \$\d\.\d0"))


async def test_a_sealed_bid_stays_secret_until_the_end(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    seller = await market.seller()
    terms = terms_of(Format.AUCTION_FORMAT_SEALED_FIRST_PRICE)
    auction = await market.auction(seller, terms=terms)
    async with (
        Visitor.arriving(browser, mesh.edge_url) as ada,
        Visitor.arriving(browser, mesh.edge_url, viewport=PHONE) as bob,
    ):
        await a_bidder(ada, "Ada", auction.auction_id)
        await bob.enter_room(auction.auction_id)
        await ada.bid("47.11")
        await ada.is_told(re.compile(r"Your bid is in.*\$47\.11"))
        await bob.sees_bids("Sealed")
        await expect(bob.page.get_by_text("47.11")).to_have_count(0)
        assert await bob.fits_its_window()
        await seller.close_auction(auction.auction_id)
        await ada.is_told("You won!")
        await bob.is_told("Sold for $47.11")


async def test_who_buys_at_once_is_asked_and_has_it(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    offer = BuyNow(
        price=money(80_00), availability=BuyNowAvailability.BUY_NOW_AVAILABILITY_UNTIL_REACHED
    )
    auction = await market.auction(await market.seller(), terms=terms_of(buy_now=offer))
    async with (
        Visitor.arriving(browser, mesh.edge_url, viewport=PHONE) as ada,
        Visitor.arriving(browser, mesh.edge_url) as bob,
    ):
        await a_bidder(ada, "Ada", auction.auction_id)
        await bob.enter_room(auction.auction_id)
        await ada.page.get_by_role("button", name="Buy now for $80.00").click()
        await bob.is_told("Live")
        await ada.page.get_by_role("button", name="Yes, buy it").click()
        await ada.is_told("You bought it!")
        await bob.is_told("Bought for $80.00")


async def test_a_large_bid_counts_only_when_it_is_meant(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    terms = terms_of(confirm_above_factor=10)
    auction = await market.auction(await market.seller(), terms=terms)
    async with Visitor.arriving(browser, mesh.edge_url) as ada:
        await a_bidder(ada, "Ada", auction.auction_id)
        await ada.bid("150")
        await ada.sees("That is more than 10 times the price of $10.00. Bid $150.00?")
        await ada.page.get_by_role("button", name="No, change it").click()
        await ada.sees("No bids yet.")
        await ada.bid("150")
        await ada.page.get_by_role("button", name="Yes, bid $150.00").click()
        await ada.is_told("You lead")
        await ada.sees_bids("$10.00")


async def test_a_bid_is_taken_back_and_everybody_sees_so(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    auction = await market.auction(await market.seller())
    async with (
        Visitor.arriving(browser, mesh.edge_url) as ada,
        Visitor.arriving(browser, mesh.edge_url, viewport=PHONE) as bob,
    ):
        await a_bidder(ada, "Ada", auction.auction_id)
        await bob.enter_room(auction.auction_id)
        await ada.bid("40")
        await ada.is_told("You lead")
        await bob.sees_bids("$10.00")
        await ada.page.get_by_text("Your bids (1)").click()
        async with ada.page.expect_download() as saving:
            await ada.page.get_by_role("button", name="Receipt").click()
        download = await saving.value
        assert download.suggested_filename.endswith(".jws")
        await ada.page.get_by_role("button", name="Take back").click()
        await ada.page.get_by_role("button", name="Take it back").click()
        await bob.sees_bids("Taken back")
        await bob.sees("The first bid opens it")


async def test_the_heart_keeps_an_auction_on_the_watch_list(
    browser: Browser, mesh: RunningMesh, market: Market
) -> None:
    auction = await market.auction(await market.seller())
    async with Visitor.arriving(browser, mesh.edge_url, viewport=PHONE) as ada:
        await ada.sign_up("Ada")
        await ada.page.get_by_role("button", name="Watching").click()
        await ada.sees("You watch nothing yet.")
        await ada.enter_room(auction.auction_id)
        heart = ada.page.get_by_role("button", name="Watch this auction")
        await heart.click()
        await expect(heart).to_have_attribute("aria-pressed", "true")
        await ada.open("/")
        await ada.page.get_by_role("button", name="Watching").click()
        card = ada.page.locator(f'a[href="/auctions/{auction.auction_id}"]')
        await expect(card).to_be_visible()
