"""Verify a bid log: recompute the hashes, the prices and the winner from its records alone."""

import asyncio
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from svc_auction.application.ports import BidLogs
from svc_auction.application.seller_access import visible_auction
from svc_auction.domain.auction import Auction
from svc_auction.domain.log_records import LoggedBid
from svc_auction.domain.log_verification import Finding, LogVerification

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """What the log of an auction comes to.

    ``tells_price`` is false while a sealed auction runs. ``counterfactual_minor`` is the price
    without the bidder who was left out; None if nobody was, or if no price may be told.
    """

    auction: Auction
    finding: Finding
    tells_price: bool
    counterfactual_minor: int | None


class VerifyBidLog:
    """Follows the log of one auction, record by record, and lets others have their turns."""

    def __init__(self, *, logs: BidLogs) -> None:
        self._logs = logs

    async def __call__(
        self, auction_id: str, *, viewer_id: str | None, without_bidder_id: str = ""
    ) -> VerifiedLog:
        """Return what the log comes to; ``AuctionNotFound`` if the viewer sees no such auction."""
        async with self._logs.reading(auction_id) as reading:
            auction = visible_auction(reading.auction, viewer_id)
            verification = LogVerification(auction.terms, auction.book)
            async for record in reading.records():
                if isinstance(record, LoggedBid):
                    verification.follow_bid(record)
                else:
                    await _in_turns(verification.follow_retraction(record))
        tells_price = not (auction.terms.format.sealed and auction.book.is_open)
        counterfactual_minor = None
        if without_bidder_id and tells_price:
            counterfactual_minor = await _in_turns(verification.price_without(without_bidder_id))
        return VerifiedLog(auction, verification.finding(), tells_price, counterfactual_minor)


async def _in_turns(steps: Generator[None, None, Result]) -> Result:
    """Run a long computation step by step, others in between."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: Result = done.value
            return result
        await asyncio.sleep(0)
