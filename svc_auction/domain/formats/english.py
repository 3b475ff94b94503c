"""English auctions: days or hours, the default ladder, and a soft close if the seller wishes."""

from svc_auction.domain.formats.ascending import Ascending
from svc_auction.domain.increments import DEFAULT_LADDER


class English(Ascending):
    """The ascending rules as they are."""

    number = 1
    ladder = DEFAULT_LADDER
