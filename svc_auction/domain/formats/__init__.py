"""The formats, one a file; a new one is a file and a line here."""

from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.formats.dutch import Dutch
from svc_auction.domain.formats.english import English
from svc_auction.domain.formats.live_lot import LiveLot
from svc_auction.domain.formats.sealed_first_price import SealedFirstPrice
from svc_auction.domain.formats.sealed_second_price import SealedSecondPrice
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.formats.sudden_death import SuddenDeath

ENGLISH, LIVE_LOT, SUDDEN_DEATH = English(), LiveLot(), SuddenDeath()
DUTCH = Dutch()
SEALED_FIRST_PRICE, SEALED_SECOND_PRICE = SealedFirstPrice(), SealedSecondPrice()

_BY_NUMBER = {
    format_.number: format_
    for format_ in (
        ENGLISH,
        LIVE_LOT,
        SUDDEN_DEATH,
        DUTCH,
        SEALED_FIRST_PRICE,
        SEALED_SECOND_PRICE,
    )
}


def format_of(number: int) -> Format:
    """Return the format with the contract's number; ``TermsInvalid`` if there is none."""
    try:
        return _BY_NUMBER[number]
    except KeyError:
        raise TermsInvalid(problem=f"there is no format {number}") from None
