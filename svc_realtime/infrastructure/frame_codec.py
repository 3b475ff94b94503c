"""Frames on the wire: `WatchAuctionResponse`, put together from parts that are serialised once.

Serialised protobuf messages of one type may be joined: repeated fields add up, and of a single
field the last value counts (https://protobuf.dev/programming-guides/encoding/#last-one-wins). So a
frame is its header joined with its updates, and several frames of updates joined are one frame.
"""

import time
from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1.auction_pb2 import (
    Auction,
    AuctionOutcome,
    AuctionState,
    Bid,
    ReserveStatus,
)
from blytz.common.v1 import position_pb2
from blytz.realtime.v1.realtime_service_pb2 import (
    AuctionSnapshot,
    AuctionUpdate,
    EndUpdate,
    WatchAuctionResponse,
)
from svc_realtime.domain.change import Snapshot
from svc_realtime.domain.position import Position

RECENT_BIDS_MAX = 50


class ProtobufFrameCodec:
    """The `FrameCodec` of the contract."""

    def frame(
        self,
        position: Position | None,
        *,
        snapshot: Snapshot | None = None,
        updates: Sequence[bytes] = (),
        recovered: bool = False,
        reconnect: bool = False,
    ) -> bytes:
        """Return one frame."""
        header = WatchAuctionResponse(
            position=None if position is None else position_message(position),
            server_time=_now(),
            recovered=recovered,
            reconnect=reconnect,
        ).SerializeToString()
        body = b"" if snapshot is None else snapshot.body
        return b"".join((header, body, *updates))

    def join(self, frames: Sequence[bytes]) -> bytes:
        """Return one frame of the updates of all, at the last one's position and time."""
        return b"".join(frames)

    def fold(self, snapshot: Snapshot, updates: Sequence[bytes], position: Position) -> Snapshot:
        """Return the snapshot after the updates that lead to ``position``."""
        frame = WatchAuctionResponse.FromString(b"".join((snapshot.body, *updates)))
        picture = frame.snapshot
        newest_last: list[Bid] = list(reversed(picture.recent_bids))
        for update in frame.updates:
            bid_count = picture.auction.bid_count
            _apply(picture.auction, update)
            if update.HasField("bid"):
                newest_last.append(update.bid.bid)
            elif picture.auction.bid_count < bid_count:
                # Bids were taken back, and only the service knows which: better none than wrong
                # ones. A viewer who misses them lists them.
                newest_last.clear()
        kept = newest_last[-RECENT_BIDS_MAX:][::-1]
        recent = AuctionSnapshot(auction=picture.auction, recent_bids=kept)
        return serialised_snapshot(recent, position)


def serialised_snapshot(picture: AuctionSnapshot, position: Position) -> Snapshot:
    """Return a snapshot as the part of a frame that it becomes, without the ids of people."""
    picture.auction.position.CopyFrom(position_message(position))
    picture.auction.ClearField("leader_id")
    for bid in picture.recent_bids:
        bid.ClearField("bidder_id")
    return Snapshot(position, WatchAuctionResponse(snapshot=picture).SerializeToString())


def serialised_update(update: AuctionUpdate) -> bytes:
    """Return an update as the part of a frame that it becomes."""
    return WatchAuctionResponse(updates=[update]).SerializeToString()


def position_message(position: Position) -> position_pb2.Position:
    """Return the contract's position."""
    return position_pb2.Position(epoch=position.epoch, sequence=position.sequence)


def _apply(auction: Auction, update: AuctionUpdate) -> None:
    change = update.WhichOneof("change")
    if change == "bid":
        bid = update.bid.bid
        auction.price.CopyFrom(bid.price)
        auction.minimum_next_bid.CopyFrom(update.bid.minimum_next_bid)
        auction.bid_count = update.bid.bid_count
        auction.leader_alias = bid.leader_alias
        auction.reserve_status = update.bid.reserve_status
        auction.bid_log_head = bid.record_hash
        auction.buy_now_offered = _still_offered(auction)
    elif change == "extension":
        auction.ends_at.CopyFrom(update.extension.ends_at)
        auction.extension_count = update.extension.extension_count
    elif change == "auction":
        auction.CopyFrom(update.auction)
    elif change == "end":
        _end(auction, update.end)
    elif change == "cancellation":
        auction.state = AuctionState.AUCTION_STATE_CANCELLED
        auction.outcome = AuctionOutcome.AUCTION_OUTCOME_CANCELLED
        auction.buy_now_offered = False
        auction.ClearField("paused_at")


def _still_offered(auction: Auction) -> bool:
    """Say whether an auction that could be bought at once still can, after a bid."""
    return (
        auction.buy_now_offered
        and auction.price.amount_minor < auction.terms.buy_now.price.amount_minor
    )


def _end(auction: Auction, end: EndUpdate) -> None:
    """Enter the end; that of a sealed auction reveals who leads and that the reserve is met."""
    auction.state = AuctionState.AUCTION_STATE_ENDED
    auction.outcome = end.outcome
    auction.price.CopyFrom(end.price)
    auction.ends_at.CopyFrom(end.ended_at)
    auction.bid_log_head = end.bid_log_head
    auction.buy_now_offered = False
    auction.ClearField("paused_at")
    if end.winner_alias:
        auction.leader_alias = end.winner_alias
        if auction.reserve_status == ReserveStatus.RESERVE_STATUS_NOT_MET:
            auction.reserve_status = ReserveStatus.RESERVE_STATUS_MET


def _now() -> Timestamp:
    seconds, nanos = divmod(time.time_ns(), 1_000_000_000)
    # Zero is not written, and then an earlier frame's part would count when frames are joined.
    return Timestamp(seconds=seconds, nanos=max(1, nanos))
