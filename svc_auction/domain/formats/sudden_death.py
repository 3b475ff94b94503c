"""Sudden death: the ascending rules with an end that never moves."""

from typing import TYPE_CHECKING

from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.formats.ascending import Ascending
from svc_auction.domain.increments import LIVE_LADDER

if TYPE_CHECKING:
    from svc_auction.domain.terms import Terms


class SuddenDeath(Ascending):
    """Ascending, without a soft close."""

    number = 3
    ladder = LIVE_LADDER

    def check_terms(self, terms: "Terms") -> None:
        """Refuse a soft close."""
        if terms.soft_close is not None:
            raise TermsInvalid(problem="the end of a sudden-death auction never moves")
