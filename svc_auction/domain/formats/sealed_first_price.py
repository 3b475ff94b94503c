"""Sealed first-price auctions: the highest pays what they bid."""

from datetime import datetime
from typing import TYPE_CHECKING

from svc_auction.domain.formats.sealed import Sealed

if TYPE_CHECKING:
    from svc_auction.domain.book import Book
    from svc_auction.domain.terms import Terms


class SealedFirstPrice(Sealed):
    """The price is the highest maximum."""

    number = 5

    def enter(
        self, terms: "Terms", book: "Book", bidder_id: str, maximum_minor: int, now: datetime
    ) -> None:
        """Lead if nobody has bid as much."""
        del terms, now
        if book.leader_id in {None, bidder_id} or maximum_minor > book.leader_maximum_minor:
            book.leader_id, book.leader_maximum_minor = bidder_id, maximum_minor
            book.price_minor = maximum_minor
