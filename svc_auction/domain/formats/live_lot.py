"""Live lots: the ascending rules at the pace of a show, with larger steps."""

from svc_auction.domain.formats.ascending import Ascending
from svc_auction.domain.increments import LIVE_LADDER


class LiveLot(Ascending):
    """Ascending, and short: the auction's own checks keep it to an hour."""

    number = 2
    ladder = LIVE_LADDER
