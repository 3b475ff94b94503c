"""Retraction: which bids may be taken back, and what the auction comes to without them.

Source: docs, "Auction rules". With 12 hours left or more, all bids of the bidder go; with less,
only their latest, within an hour of it. A lot that waits in its show has no end yet, so all go.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from kernel.ids import new_id
from svc_auction.domain.auction import Auction
from svc_auction.domain.bid_log import new_salt, retraction_hash
from svc_auction.domain.book import Book, State
from svc_auction.domain.errors import (
    AuctionEnded,
    AuctionNotFound,
    AuctionNotLive,
    BidNotFound,
    RetractionNotAllowed,
)
from svc_auction.domain.events import BidPlaced, BidsRetracted
from svc_auction.domain.terms import Funding, Terms

EARLY = timedelta(hours=12)
LATE_WITHIN = timedelta(hours=1)


class Reason(IntEnum):
    """Why a bid is taken back; the numbers are the contract's."""

    TYPING_ERROR = 1
    DESCRIPTION_CHANGED = 2
    UNFUNDED = 100
    """A bid that came to lead by a retraction and cannot be paid: it lapses. Nobody may ask so."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A bidder's wish to take a bid of an auction back."""

    request_id: str
    auction_id: str
    bidder_id: str
    bid_id: str
    reason: Reason


def bids_to_retract(
    auction: Auction, standing: Sequence[BidPlaced], wish: Wish, now: datetime
) -> list[BidPlaced]:
    """Return the bids that go, oldest first; raises why they must stay.

    ``standing`` are all bids of the auction that count, oldest first.
    """
    book = auction.book
    _check_open(auction, wish.bidder_id, now)
    own = [bid for bid in standing if bid.bidder_id == wish.bidder_id]
    named = next((bid for bid in own if bid.bid_id == wish.bid_id), None)
    if named is None:
        raise BidNotFound
    if wish.reason is Reason.DESCRIPTION_CHANGED:
        changed_at = auction.listing.description_changed_at
        if changed_at is None or changed_at <= named.occurred_at:
            raise RetractionNotAllowed(problem="the description has not changed since")
    if book.ends_at is None or book.ends_at - (book.paused_at or now) >= EARLY:
        return own
    if named is not own[-1]:
        raise RetractionNotAllowed(problem="less than 12 hours are left, so only the latest can go")
    if now - named.occurred_at > LATE_WITHIN:
        raise RetractionNotAllowed(problem="it was placed more than an hour ago")
    return [named]


def lapses(
    auction: Auction,
    standing: Sequence[BidPlaced],
    gone: Sequence[BidPlaced],
    may_lead: Callable[[str, int], bool],
) -> tuple[list[list[BidPlaced]], str | None]:
    """Return whose bids lapse without ``gone``, heir by heir, and who leads after them.

    ``may_lead`` is asked for an heir and their maximum in minor units; the book stays as it is.
    """
    terms, book = auction.terms, auction.book
    lapsed: list[list[BidPlaced]] = []
    left = without(standing, gone)
    while True:
        tried = replace(book)
        recount(terms, tried, left)
        leader_id = tried.leader_id
        if leader_id is None or may_lead(leader_id, tried.leader_maximum_minor):
            return lapsed, leader_id
        lapsed.append([bid for bid in left if bid.bidder_id == leader_id])
        left = without(left, lapsed[-1])


def without(standing: Sequence[BidPlaced], gone: Collection[BidPlaced]) -> list[BidPlaced]:
    """Return the bids that stay when some are gone."""
    gone_ids = {bid.bid_id for bid in gone}
    return [bid for bid in standing if bid.bid_id not in gone_ids]


def retract(
    auction: Auction,
    standing: Sequence[BidPlaced],
    gone: Sequence[BidPlaced],
    *,
    request_id: str,
    reason: Reason,
    now: datetime,
) -> BidsRetracted:
    """Take ``gone`` out of the bids that count, and recompute price and leader from the rest."""
    book = auction.book
    recount(auction.terms, book, without(standing, gone))
    sequence, retraction_id, salt = book.next_sequence(), new_id(), new_salt()
    bidder_id = gone[0].bidder_id
    sequences = tuple(bid.sequence for bid in gone)
    book.log_head = retraction_hash(
        previous=book.log_head,
        auction_id=book.auction_id,
        sequence=sequence,
        retraction_id=retraction_id,
        bidder_id=bidder_id,
        price_minor=book.price_minor,
        retracted_at=now,
        sequences=sequences,
        salt=salt,
    )
    return BidsRetracted(
        sequence=sequence,
        occurred_at=now,
        retraction_id=retraction_id,
        request_id=request_id,
        bidder_id=bidder_id,
        reason=reason,
        bid_ids=tuple(bid.bid_id for bid in gone),
        sequences=sequences,
        price_minor=book.price_minor,
        leader_id=book.leader_id,
        record_hash=book.log_head,
        salt=salt,
    )


def recount(terms: Terms, book: Book, bids: Sequence[BidPlaced]) -> None:
    """Set price, leader, hold and count to what ``bids``, oldest first, come to on their own.

    A bid that was high enough when it was placed may be below the price that the others make; it
    then changes nothing, as a maximum below the second-highest does. The end stays where late bids
    have moved it.
    """
    book.price_minor, book.leader_id, book.leader_maximum_minor = terms.opening_minor, None, 0
    book.bid_count = len(bids)
    for bid in bids:
        if bid.bidder_id != book.leader_id or bid.maximum_minor > book.leader_maximum_minor:
            terms.format.enter(terms, book, bid.bidder_id, bid.maximum_minor, bid.occurred_at)
    held = terms.funding is Funding.WALLET_HOLD and not terms.format.sealed
    book.held_minor = book.leader_maximum_minor if held else 0


def _check_open(auction: Auction, bidder_id: str, now: datetime) -> None:
    book = auction.book
    if book.state is State.ENDED or book.is_over_at(now):
        raise AuctionEnded
    if book.state is State.DRAFT and bidder_id != auction.terms.seller_id:
        raise AuctionNotFound
    if book.state not in {State.LIVE, State.PAUSED, State.QUEUED}:
        raise AuctionNotLive(state=book.state.name)
