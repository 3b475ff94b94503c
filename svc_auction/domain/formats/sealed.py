"""Sealed formats: each bidder's highest maximum counts, and nobody sees an amount until the end.

The highest leads, the earlier of two equal ones. Everybody may raise their own; the least bid is
the opening price for all, since anything else would tell of the others.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.increments import DEFAULT_LADDER

if TYPE_CHECKING:
    from svc_auction.domain.book import Book
    from svc_auction.domain.terms import Terms


class Sealed(Format):
    """What both sealed formats share."""

    ladder = DEFAULT_LADDER
    sealed = True

    def check_terms(self, terms: "Terms") -> None:
        """Refuse a soft close: a late bid would be known to have mattered."""
        if terms.soft_close is not None:
            raise TermsInvalid(problem="the end of a sealed auction never moves")

    def asking_minor(self, terms: "Terms", book: "Book", now: datetime) -> int:
        """Return the opening price."""
        del book, now
        return terms.opening_minor

    def shown_price_minor(self, terms: "Terms", price_minor: int) -> int:
        """Return the opening price: the true one is nobody's business yet."""
        del price_minor
        return terms.opening_minor

    def next_minimum_minor(self, terms: "Terms", price_minor: int) -> int:
        """Return the opening price."""
        del price_minor
        return terms.opening_minor
