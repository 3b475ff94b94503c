"""A show from both sides: its seller runs it from the page, and a bidder follows it."""

from playwright.async_api import Browser, Locator, expect

from fakes.running_mesh import RunningMesh
from fakes.visitor import PHONE, Visitor


async def add_lot(seller: Visitor, title: str, opening: str) -> None:
    """Put a lot at the end of the line."""
    page = seller.page
    await page.get_by_label("Title").fill(title)
    await page.get_by_label("Opening price").fill(opening)
    await page.get_by_label("Stays open for").select_option("5 minutes")
    await page.get_by_role("button", name="Add to the show").click()
    await expect(up_next(seller).get_by_text(title)).to_be_visible()


def up_next(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("region", name="Up next")


async def test_a_seller_runs_a_show_and_a_bidder_follows(
    browser: Browser, mesh: RunningMesh
) -> None:
    async with (
        Visitor.arriving(browser, mesh.edge_url, viewport=PHONE) as seller,
        Visitor.arriving(browser, mesh.edge_url) as ada,
    ):
        page = seller.page
        await seller.sign_up("Grace")
        await seller.open("/sell")
        await page.get_by_label("Shop name").fill("Grace's Clocks")
        await page.locator("form button[type=submit]").click()
        await seller.sees("Put something up")
        await seller.open("/shows")
        await page.get_by_text("Plan a show").click()
        await page.get_by_label("Title").fill("Sunday clocks")
        await page.get_by_role("button", name="Announce the show").click()
        await page.wait_for_url("**/shows/*")
        await page.get_by_text("Add a lot").click()
        await add_lot(seller, "Mantel clock", "25")
        await add_lot(seller, "Carriage clock", "40")
        assert await seller.fits_its_window()
        await page.get_by_role("button", name="Move Carriage clock up").click()
        lots = up_next(seller).get_by_role("listitem")
        await expect(lots.first).to_contain_text("Carriage clock")

        await ada.sign_up("Ada")
        await ada.deposit("500")
        await ada.open(page.url.removeprefix(mesh.edge_url))
        await ada.sees("Nothing is open yet.")
        await ada.page.get_by_role("button", name="Bookmark").click()
        await expect(ada.page.get_by_role("button", name="Bookmarked")).to_be_visible()

        await page.get_by_role("button", name="Start the show").click()
        await page.get_by_role("button", name="Open the next lot").click()
        await ada.is_told("On now")
        await ada.is_told("Live")
        await ada.bid("60")
        await ada.is_told("You lead")
        await page.get_by_role("button", name="Pause").click()
        await ada.is_told("Paused")
        await page.get_by_role("button", name="Go on").click()
        await ada.is_told("Live")

        await page.get_by_role("button", name="End the show").click()
        await page.get_by_role("button", name="Yes, end the show").click()
        await ada.is_told("You won!")
        await ada.sees("Over")
        await expect(ada.page.get_by_text("The first lot comes up")).to_have_count(0)
