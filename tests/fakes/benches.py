"""Benches for tests of how a batch of bids is decided: some auctions, and bidders with power."""

from collections.abc import Mapping
from datetime import datetime

from fakes.auction_books import START, book_of
from svc_auction.application.decide_bids import Bench, Decisions, Power, PowerKey
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.terms import Terms


def bench_of(
    auctions: Mapping[str, Terms],
    allotted: Mapping[PowerKey, int],
    *,
    now: datetime = START,
) -> Bench:
    """Return a bench of live auctions without bids and of bidders who hold nothing yet."""
    return Bench(
        now=now,
        terms=dict(auctions),
        books={key: book_of(terms, auction_id=key) for key, terms in auctions.items()},
        power={key: Power(allotted_minor, 0) for key, allotted_minor in allotted.items()},
        recorded={},
    )


def outcomes(decisions: Decisions) -> list[tuple[object, ...]]:
    """Return the verdicts as far as they do not depend on drawn ids."""
    return [
        (
            verdict.auction_id,
            verdict.event.sequence,
            verdict.event.bidder_id,
            verdict.event.request_id,
            verdict.event.maximum_minor,
            verdict.event.price_minor,
            verdict.event.leader_id,
            verdict.event.outbid_id,
            verdict.event.bid_count,
            verdict.event.ends_at,
        )
        if isinstance(verdict, PlacedBid)
        else (verdict.reason, tuple(verdict.facts.items()))
        for verdict in decisions.verdicts
    ]
