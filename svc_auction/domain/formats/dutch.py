"""Dutch auctions: the price falls on a schedule, and the first to take it pays it."""

from datetime import datetime
from typing import TYPE_CHECKING

from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.increments import DEFAULT_LADDER

if TYPE_CHECKING:
    from svc_auction.domain.book import Book
    from svc_auction.domain.terms import Terms


class Dutch(Format):
    """The price of a moment follows from the clock alone; time on pause does not count."""

    number = 4
    ladder = DEFAULT_LADDER
    falls = True

    def check_terms(self, terms: "Terms") -> None:
        """Need a schedule, and refuse what has no meaning on a falling price."""
        falling = terms.falling_price
        if falling is None:
            raise TermsInvalid(problem="a Dutch auction needs to know how its price falls")
        if falling.floor_minor > terms.opening_minor:
            raise TermsInvalid(problem="the price cannot fall to more than the opening price")
        if terms.reserve_minor is not None:
            raise TermsInvalid(problem="a Dutch auction has a floor instead of a reserve")
        if terms.soft_close is not None:
            raise TermsInvalid(problem="the first bid ends a Dutch auction, so its end never moves")

    def asking_minor(self, terms: "Terms", book: "Book", now: datetime) -> int:
        """Return the price at ``now``: it has fallen once for each whole interval since the start.

        Before the start, and while the clock is stopped, it stays where it is.
        """
        falling = terms.falling_price
        if falling is None or book.starts_at is None:
            return terms.opening_minor
        elapsed = (book.paused_at or now) - book.starts_at - book.paused_for
        drops = max(0, elapsed // falling.every)
        return max(falling.floor_minor, terms.opening_minor - drops * falling.drop_minor)

    def enter(
        self, terms: "Terms", book: "Book", bidder_id: str, maximum_minor: int, now: datetime
    ) -> None:
        """Sell to the bidder at the price of the moment."""
        book.price_minor = self.asking_minor(terms, book, now)
        book.leader_id, book.leader_maximum_minor = bidder_id, maximum_minor

    def next_minimum_minor(self, terms: "Terms", price_minor: int) -> int:
        """Return the price: no bid follows."""
        del terms
        return price_minor
