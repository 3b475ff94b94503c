"""How often passwords may be guessed.

Each attempt draws on three allowances: of the account from that address (tight: this is what stops
a guesser, without locking the owner out elsewhere), of the account from anywhere (for guessers with
many addresses), and of the address (for guessers with many accounts). What a good password drew is
given back, so only failures count. An unknown account has allowances like any other.

An allowance is a leaky bucket kept as one time, the one at which it will be empty again (the
"theoretical arrival time" of the generic cell rate algorithm, ITU-T I.371).
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from svc_identity.domain.errors import TooManyAttempts
from svc_identity.domain.normalisation import email_key

IPV6_SITE_PREFIX_BITS = 64


@dataclass(frozen=True, slots=True)
class Allowance:
    """``burst`` attempts at once, and one more every ``interval``."""

    burst: int
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Allowances:
    """The three allowances of an attempt to sign in."""

    account_at_address: Allowance = Allowance(10, timedelta(seconds=30))
    account: Allowance = Allowance(100, timedelta(minutes=1))
    address: Allowance = Allowance(300, timedelta(seconds=2))


@dataclass(frozen=True, slots=True)
class Draw:
    """One allowance that an attempt draws on; ``key`` tells nothing about whose it is."""

    key: bytes
    allowance: Allowance


def draws_of(*, email: str, address: str, allowances: Allowances) -> Sequence[Draw]:
    """Return what an attempt draws on, in the order of the keys; ``address`` may be empty."""
    account, site = email_key(email), site_of(address)
    draws = [Draw(_key("account", account), allowances.account)]
    if site:
        draws += [
            Draw(_key("address", site), allowances.address),
            Draw(_key("account_at_address", account, site), allowances.account_at_address),
        ]
    return sorted(draws, key=lambda draw: draw.key)


def site_of(address: str) -> str:
    """Return what one guesser cannot easily leave: an IPv4 address, an IPv6 /64, or nothing."""
    try:
        parsed = ipaddress.ip_address(address.strip())
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), IPV6_SITE_PREFIX_BITS), strict=False))


def drawn(draws: Sequence[Draw], empty_at: Sequence[datetime], now: datetime) -> list[datetime]:
    """Return when each allowance will be empty after one more attempt.

    ``TooManyAttempts`` if one of them is full, with the time until it is not.
    """
    after = [
        max(empty, now) + draw.allowance.interval
        for draw, empty in zip(draws, empty_at, strict=True)
    ]
    wait = max(
        later - now - draw.allowance.interval * draw.allowance.burst
        for draw, later in zip(draws, after, strict=True)
    )
    if wait > timedelta():
        raise TooManyAttempts(retry_after_s=wait.total_seconds())
    return after


def given_back(draws: Sequence[Draw], empty_at: Sequence[datetime]) -> list[datetime]:
    """Return when each allowance will be empty without the last attempt."""
    return [empty - draw.allowance.interval for draw, empty in zip(draws, empty_at, strict=True)]


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
