"""Decide a retraction: what goes, who leads without it, and whose bids lapse because they cannot.

A losing maximum holds nothing, so whoever comes to lead by a retraction may be unable to pay by
now. They must never lead, not for a moment: their bids lapse before the wished ones go, each
bidder's as a retraction of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kernel.ids import new_id
from svc_auction.domain.auction import Auction
from svc_auction.domain.events import BidPlaced, BidsRetracted
from svc_auction.domain.retraction import Reason, Wish, lapses, retract, without
from svc_auction.domain.terms import Funding


class HeirUncovered(Exception):
    """Somebody would come to lead who cannot, as it stands.

    ``shortfall_minor`` is what is missing in their bidding power; None if it is the limit of the
    show, where no money helps.
    """

    def __init__(self, *, bidder_id: str, currency_code: str, shortfall_minor: int | None) -> None:
        self.bidder_id = bidder_id
        self.currency_code = currency_code
        self.shortfall_minor = shortfall_minor
        super().__init__("whoever would lead next is not covered")


@dataclass(frozen=True, slots=True)
class RetractionBench:
    """All that a retraction is decided on, as it is locked in one transaction.

    ``standing`` are all bids that count, oldest first, and ``gone`` those that are taken back.
    ``free_minor`` is the bidding power of possible leaders that nothing holds; ``committed_minor``
    is what they are committed to in the show.
    """

    now: datetime
    auction: Auction
    standing: Sequence[BidPlaced]
    gone: Sequence[BidPlaced]
    free_minor: Mapping[str, int]
    committed_minor: Mapping[str, int]


def heir_ids(
    auction: Auction,
    standing: Sequence[BidPlaced],
    gone: Sequence[BidPlaced],
    uncovered_ids: frozenset[str],
) -> set[str]:
    """Return who may come to lead: everybody whose cover has to be locked for the decision."""
    lapsed, leader_id = lapses(
        auction, standing, gone, lambda bidder_id, _: bidder_id not in uncovered_ids
    )
    return {bids[0].bidder_id for bids in lapsed} | ({leader_id} if leader_id else set())


def decide_retraction(
    wish: Wish, bench: RetractionBench, uncovered_ids: frozenset[str]
) -> Iterator[BidsRetracted]:
    """Yield what happens to the auction, which is as after each event while that is handled.

    The wished retraction comes last. ``HeirUncovered`` if nobody has tried yet to cover the heir.
    """
    auction = bench.auction

    def may_lead(bidder_id: str, maximum_minor: int) -> bool:
        uncovered = _uncovered(bench, bidder_id, maximum_minor)
        if uncovered is not None and bidder_id not in uncovered_ids:
            raise uncovered
        return uncovered is None

    lapsed, _ = lapses(auction, bench.standing, bench.gone, may_lead)
    standing = bench.standing
    for bids in lapsed:
        yield retract(
            auction,
            standing,
            bids,
            request_id=new_id(),
            reason=Reason.UNFUNDED,
            now=bench.now,
        )
        standing = without(standing, bids)
    yield retract(
        auction,
        standing,
        bench.gone,
        request_id=wish.request_id,
        reason=wish.reason,
        now=bench.now,
    )


def _uncovered(bench: RetractionBench, bidder_id: str, maximum_minor: int) -> HeirUncovered | None:
    """Return what keeps a bidder from leading with a maximum.

    Sealed maxima are held whoever leads, and whoever leads now is covered for more already.
    """
    terms = bench.auction.terms
    if terms.format.sealed or bidder_id == bench.auction.book.leader_id:
        return None
    if terms.bidder_limit_minor is not None:
        committed_minor = bench.committed_minor.get(bidder_id, 0)
        if committed_minor + maximum_minor > terms.bidder_limit_minor:
            return HeirUncovered(
                bidder_id=bidder_id, currency_code=terms.currency_code, shortfall_minor=None
            )
    shortfall_minor = maximum_minor - bench.free_minor.get(bidder_id, 0)
    if terms.funding is Funding.WALLET_HOLD and shortfall_minor > 0:
        return HeirUncovered(
            bidder_id=bidder_id,
            currency_code=terms.currency_code,
            shortfall_minor=shortfall_minor,
        )
    return None
