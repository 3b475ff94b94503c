"""The auction of the feed benchmark, and its bids as svc_auction would tell of them."""

import time

from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1.auction_pb2 import Auction, AuctionState, AuctionTerms, Bid, ReserveStatus
from blytz.common.v1.money_pb2 import Money
from blytz.events.v1.auction_events_pb2 import BidPlaced
from blytz.events.v1.event_pb2 import Event
from blytz.realtime.v1.realtime_service_pb2 import AuctionSnapshot
from kernel.ids import new_id
from svc_realtime.domain.change import Snapshot
from svc_realtime.domain.position import Position
from svc_realtime.infrastructure.frame_codec import serialised_snapshot

AUCTION_ID = new_id()
FIRST = Position(1, 2)
"""The auction is created and started; no bid yet."""


def first_snapshot() -> Snapshot:
    """Return where the auction stands before the first bid."""
    auction = Auction(
        auction_id=AUCTION_ID,
        seller_id=new_id(),
        seller_name="Ada's watches",
        title="Cartier Tank, 1990s",
        description="Steel and gold, with box and papers. " * 10,
        terms=AuctionTerms(opening_price=_usd(100)),
        state=AuctionState.AUCTION_STATE_LIVE,
        price=_usd(100),
        minimum_next_bid=_usd(100),
    )
    return serialised_snapshot(AuctionSnapshot(auction=auction), FIRST)


def bid_placed(sequence: int, *, auction_id: str = AUCTION_ID) -> Event:
    """Return the event of a bid that is committed now."""
    seconds, nanos = divmod(time.time_ns(), 1_000_000_000)
    now = Timestamp(seconds=seconds, nanos=nanos)
    return Event(
        event_id=new_id(),
        type="bid.placed",
        aggregate_id=auction_id,
        epoch=FIRST.epoch,
        sequence=sequence,
        occurred_at=now,
        bid_placed=BidPlaced(
            bid=Bid(
                bid_id=new_id(),
                auction_id=auction_id,
                sequence=sequence,
                bidder_alias="Amber Heron 27",
                price=_usd(100 + sequence),
                leader_alias="Blue Otter 11",
                placed_at=now,
                record_hash=sequence.to_bytes(32, "big"),
            ),
            bidder_id=new_id(),
            leader_id=new_id(),
            outbid_id=new_id(),
            minimum_next_bid=_usd(101 + sequence),
            bid_count=sequence,
            reserve_status=ReserveStatus.RESERVE_STATUS_NONE,
        ),
    )


def _usd(amount_minor: int) -> Money:
    return Money(currency_code="USD", amount_minor=amount_minor)
