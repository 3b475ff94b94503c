"""Bids on a lane: many at once, and their verdicts."""

import asyncio
import random
from collections.abc import Sequence

from fakes.auction_books import bid_of
from fakes.auction_shards import ALIASES
from kernel.errors import BlytzError
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.infrastructure.bid_lane import BidLane
from svc_auction.infrastructure.proto_mapping import place_bid_response
from svc_auction.infrastructure.shards import Shard

Verdict = PlacedBid | BlytzError


def lane_on(shard: Shard) -> BidLane:
    return BidLane(shard=shard, aliases=ALIASES)


async def verdict_of(lane: BidLane, bid: Bid) -> Verdict:
    try:
        return await lane.place(bid)
    except BlytzError as refusal:
        return refusal


async def bid_at_once(lanes: Sequence[BidLane], bids: Sequence[Bid]) -> list[Verdict]:
    """Place all bids at once, by turns over the lanes."""
    return await asyncio.gather(
        *(verdict_of(lanes[number % len(lanes)], bid) for number, bid in enumerate(bids))
    )


def random_bids(
    seed: int, *, auction_ids: Sequence[str], bidder_ids: Sequence[str], count: int
) -> list[Bid]:
    """Return bids of anybody on anything, higher and higher, so that many are accepted."""
    rng = random.Random(seed)
    return [
        bid_of(
            rng.choice(bidder_ids),
            rng.randint(1, 500) + 30 * number,
            auction_id=rng.choice(auction_ids),
        )
        for number in range(count)
    ]


def accepted(verdicts: Sequence[Verdict]) -> list[PlacedBid]:
    return [verdict for verdict in verdicts if isinstance(verdict, PlacedBid)]


def reasons(verdicts: Sequence[Verdict]) -> set[str]:
    return {verdict.reason for verdict in verdicts if isinstance(verdict, BlytzError)}


def answer(verdict: Verdict) -> bytes:
    """Return the answer as it goes over the wire."""
    assert isinstance(verdict, PlacedBid), verdict
    return place_bid_response(verdict, ALIASES).SerializeToString(deterministic=True)
