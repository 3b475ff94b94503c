"""Issue a receipt: a signed statement of what a bidder bid, to be checked without this service."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from svc_auction.application.ports import Auctions, BidLogs, ReceiptSigner
from svc_auction.application.seller_access import visible_auction
from svc_auction.domain.errors import BidNotFound

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class IssueReceipt:
    """Signs what the log has of a bid.

    A whole receipt carries all that the record's hash is made of. While a sealed auction runs, the
    price after the bid, the salt and the hash before it are left out: together with the record's
    own hash they would tell the price. The bidder may come again after the end.
    """

    def __init__(
        self,
        *,
        auctions: Auctions,
        logs: BidLogs,
        signer: ReceiptSigner,
        clock_s: Callable[[], float],
    ) -> None:
        self._auctions = auctions
        self._logs = logs
        self._signer = signer
        self._clock_s = clock_s

    async def __call__(
        self, *, auction_id: str, bid_id: str, caller_id: str, by_moderator: bool
    ) -> str:
        """Return the receipt; ``BidNotFound`` for a bid of somebody else's, but to moderators."""
        # The auction first: should it end in between, too little is told and not too much.
        auction = visible_auction(await self._auctions.get(auction_id), caller_id)
        found = await self._logs.find_bid(
            auction_id, bid_id, bidder_id=None if by_moderator else caller_id
        )
        if found is None:
            raise BidNotFound
        bid = found.bid
        claims: dict[str, str | int] = {
            "auction_id": auction_id,
            "bid_id": bid.bid_id,
            "bidder_id": bid.bidder_id,
            "sequence": bid.sequence,
            "currency_code": auction.terms.currency_code,
            "maximum_minor": bid.maximum_minor,
            "placed_at": (bid.placed_at - _EPOCH) // _MICROSECOND,
            "record_hash": bid.record_hash.hex(),
            "iat": int(self._clock_s()),
        }
        if not (auction.terms.format.sealed and auction.book.is_open):
            claims["price_minor"] = bid.price_minor
            claims["previous_hash"] = found.previous_hash.hex()
            claims["salt"] = bid.salt.hex()
        return self._signer.sign(claims)
