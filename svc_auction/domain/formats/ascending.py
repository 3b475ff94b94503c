"""Ascending formats: maximum bids that are raised on the bidders' behalf.

A bid is a maximum. The leader has the highest, the earlier of two equal ones; the price is one step
above the second-highest maximum, and never above the highest. A maximum can be raised, never taken
back by a lower one. A maximum that reaches the reserve lifts the price at least to it.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from svc_auction.domain.formats.shape import Format

if TYPE_CHECKING:
    from svc_auction.domain.book import Book
    from svc_auction.domain.terms import Terms


class Ascending(Format):
    """What all ascending formats share."""

    offers_buy_now = True

    def check_terms(self, terms: "Terms") -> None:
        """Accept all terms: nothing contradicts these rules."""

    def asking_minor(self, terms: "Terms", book: "Book", now: datetime) -> int:
        """Return the opening price before the first bid, later one step above the price."""
        del now
        if book.bid_count == 0:
            return terms.opening_minor
        return self.next_minimum_minor(terms, book.price_minor)

    def enter(
        self, terms: "Terms", book: "Book", bidder_id: str, maximum_minor: int, now: datetime
    ) -> None:
        """Lead with the highest maximum, at a step above the second-highest."""
        del now
        if book.leader_id is None or bidder_id == book.leader_id:
            book.leader_id, book.leader_maximum_minor = bidder_id, maximum_minor
        elif maximum_minor > book.leader_maximum_minor:
            second_minor = book.leader_maximum_minor
            book.leader_id, book.leader_maximum_minor = bidder_id, maximum_minor
            _raise_price(terms, book, second_minor)
        else:
            _raise_price(terms, book, maximum_minor)
        if terms.reserve_minor is not None and book.leader_maximum_minor >= terms.reserve_minor:
            book.price_minor = max(book.price_minor, terms.reserve_minor)

    def next_minimum_minor(self, terms: "Terms", price_minor: int) -> int:
        """Return one step above the price."""
        return price_minor + terms.ladder.step_minor(price_minor)


def _raise_price(terms: "Terms", book: "Book", second_minor: int) -> None:
    wanted_minor = second_minor + terms.ladder.step_minor(second_minor)
    book.price_minor = max(book.price_minor, min(book.leader_maximum_minor, wanted_minor))
