"""What a format is: how bids become a price, and what is shown of it while the auction runs."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from svc_auction.domain.increments import Ladder

if TYPE_CHECKING:
    from svc_auction.domain.book import Book
    from svc_auction.domain.terms import Terms


class Format(ABC):
    """One way to sell. A format has no state: all of an auction's is in its terms and its book.

    ``number`` is the contract's ``AuctionFormat``, ``ladder`` stands in where the terms name none.
    """

    number: ClassVar[int]
    ladder: ClassVar[Ladder]
    sealed: ClassVar[bool] = False
    """Whether nobody is shown an amount or a leader before the end."""
    falls: ClassVar[bool] = False
    """Whether the price falls by itself and the first bid wins."""
    offers_buy_now: ClassVar[bool] = False

    @abstractmethod
    def check_terms(self, terms: "Terms") -> None:
        """Raise ``TermsInvalid`` unless the terms make sense in this format."""

    @abstractmethod
    def asking_minor(self, terms: "Terms", book: "Book", now: datetime) -> int:
        """Return the least maximum that is accepted at ``now``."""

    @abstractmethod
    def enter(
        self, terms: "Terms", book: "Book", bidder_id: str, maximum_minor: int, now: datetime
    ) -> None:
        """Let an acceptable maximum change the leader and the price."""

    def shown_price_minor(self, terms: "Terms", price_minor: int) -> int:
        """Return what is shown of a price while the auction runs."""
        del terms
        return price_minor

    @abstractmethod
    def next_minimum_minor(self, terms: "Terms", price_minor: int) -> int:
        """Return the least maximum that follows a bid after which the price is ``price_minor``."""
