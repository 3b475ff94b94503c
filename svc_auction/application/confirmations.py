"""Confirmations of large bids: a token that only this service can have issued.

A token is the time until which it is good, in seconds since 1970, and an HMAC-SHA-256 over it and
the bid: the auction, the bidder, the currency and the maximum. So it says that this bidder was
asked about this very amount a moment ago, and nothing has to be remembered.
"""

import hashlib
import hmac
import time
from collections.abc import Callable

from svc_auction.domain.bidding import Bid

GOOD_FOR_S = 300
_DIGITS_MAX = 12


class Confirmations:
    """Issues and checks tokens under a secret key; all replicas share it."""

    def __init__(self, key: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(key.encode(), b"confirmation", hashlib.sha256)
        self._clock = clock

    def token_for(self, bid: Bid) -> str:
        """Return the token that lets a bid pass for the next five minutes."""
        good_until_s = int(self._clock()) + GOOD_FOR_S
        return f"{good_until_s}.{self._mac(good_until_s, bid)}"

    def covers(self, token: str, bid: Bid) -> bool:
        """Say whether a token was issued for this bid and is still good."""
        text, _, mac = token.partition(".")
        if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX and mac.isascii()):
            return False
        good_until_s = int(text)
        genuine = hmac.compare_digest(mac, self._mac(good_until_s, bid))
        return genuine and self._clock() < good_until_s

    def _mac(self, good_until_s: int, bid: Bid) -> str:
        parts = (bid.auction_id, bid.bidder_id, bid.currency_code, bid.maximum_minor, good_until_s)
        text = "|".join(map(str, parts)).encode()
        return hmac.digest(self._key, text, hashlib.sha256).hex()
