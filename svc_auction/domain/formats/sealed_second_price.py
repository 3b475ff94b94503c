"""Sealed second-price auctions (Vickrey, 1961): the highest pays the second-highest maximum."""

from datetime import datetime
from typing import TYPE_CHECKING

from svc_auction.domain.formats.sealed import Sealed

if TYPE_CHECKING:
    from svc_auction.domain.book import Book
    from svc_auction.domain.terms import Terms


class SealedSecondPrice(Sealed):
    """The price is the highest maximum of anyone but the leader, or the reserve, or the opening.

    It can be kept up bid by bid: a maximum can only be raised, so whoever loses the lead becomes
    the second, and anyone below the leader pushes the second up or changes nothing.
    """

    number = 6

    def enter(
        self, terms: "Terms", book: "Book", bidder_id: str, maximum_minor: int, now: datetime
    ) -> None:
        """Lead if nobody has bid as much; push the price up otherwise."""
        del now
        if book.leader_id is None or bidder_id == book.leader_id:
            book.leader_id, book.leader_maximum_minor = bidder_id, maximum_minor
        elif maximum_minor > book.leader_maximum_minor:
            book.price_minor = max(book.price_minor, book.leader_maximum_minor)
            book.leader_id, book.leader_maximum_minor = bidder_id, maximum_minor
        else:
            book.price_minor = max(book.price_minor, maximum_minor)
        if terms.reserve_minor is not None and book.leader_maximum_minor >= terms.reserve_minor:
            book.price_minor = max(book.price_minor, terms.reserve_minor)
