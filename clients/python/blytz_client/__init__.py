"""A typed asyncio client of Blytz.

    async with Blytz("http://127.0.0.1:8080") as blytz:
        ada = await blytz.login(email="ada@example.com", password="...")
        await ada.place_bid(auction_id, maximum_minor=12_50, currency_code="USD")
        async with blytz.watch_auction(auction_id) as feed:
            async for frame in feed:
                print(frame.position.sequence, [update.bid for update in frame.updates])

Deadlines, retries and routing keys are those of the contract, read from its descriptors.
"""

from blytz_client.client import Blytz
from blytz_client.errors import BlytzCallError, FieldViolation
from blytz_client.feed import AuctionFeed
from blytz_client.session import Session

__all__ = ["AuctionFeed", "Blytz", "BlytzCallError", "FieldViolation", "Session"]
