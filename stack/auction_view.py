"""An auction as a watcher sees it: the snapshot, and every change since."""

from collections import deque
from datetime import UTC, datetime, timedelta

from blytz.auction.v1.auction_pb2 import (
    Auction,
    AuctionFormat,
    AuctionOutcome,
    AuctionState,
    Bid,
)
from blytz.realtime.v1.realtime_service_pb2 import AuctionUpdate, WatchAuctionResponse

RECENT_BIDS_MAX = 12
_SEALED = frozenset(
    {
        AuctionFormat.AUCTION_FORMAT_SEALED_FIRST_PRICE,
        AuctionFormat.AUCTION_FORMAT_SEALED_SECOND_PRICE,
    }
)


class AuctionView:
    """Folds the frames of a feed; `auction` is empty before the first frame."""

    def __init__(self) -> None:
        self.auction = Auction()
        self.recent_bids: deque[Bid] = deque(maxlen=RECENT_BIDS_MAX)
        self._clock_offset = timedelta()

    def apply(self, frame: WatchAuctionResponse) -> None:
        """Take in a frame."""
        if frame.HasField("server_time"):
            self._clock_offset = frame.server_time.ToDatetime(UTC) - datetime.now(UTC)
        if frame.HasField("snapshot"):
            self.auction = frame.snapshot.auction
            self.recent_bids.clear()
            self.recent_bids.extend(frame.snapshot.recent_bids[:RECENT_BIDS_MAX])
        for update in frame.updates:
            self._apply_update(update)

    @property
    def live(self) -> bool:
        """Whether bids are accepted."""
        return self.auction.state == AuctionState.AUCTION_STATE_LIVE

    @property
    def over(self) -> bool:
        """Whether nothing more can happen."""
        return self.auction.state in {
            AuctionState.AUCTION_STATE_ENDED,
            AuctionState.AUCTION_STATE_CANCELLED,
        }

    @property
    def left_s(self) -> float:
        """How long bidding goes on, in seconds, by the server's clock; 0 without an end."""
        if not self.auction.HasField("ends_at"):
            return 0.0
        now = datetime.now(UTC) + self._clock_offset
        return max(0.0, (self.auction.ends_at.ToDatetime(UTC) - now).total_seconds())

    @property
    def falls(self) -> bool:
        """Whether the price falls by itself and the first bid wins."""
        return self.auction.terms.format == AuctionFormat.AUCTION_FORMAT_DUTCH

    @property
    def sealed(self) -> bool:
        """Whether amounts are told to nobody before the end."""
        return self.auction.terms.format in _SEALED

    @property
    def price_minor(self) -> int:
        """The price now, in minor units; what a falling one has come to follows from the clock."""
        auction = self.auction
        if not (self.falls and self.live and auction.HasField("starts_at")):
            return auction.price.amount_minor
        falling = auction.terms.falling_price
        now = datetime.now(UTC) + self._clock_offset
        elapsed = now - auction.starts_at.ToDatetime(UTC) - auction.paused_for.ToTimedelta()
        drops = max(0, elapsed // falling.every.ToTimedelta())
        fallen_minor = auction.terms.opening_price.amount_minor - drops * falling.drop_minor
        return max(falling.floor_minor, fallen_minor)

    def _apply_update(self, update: AuctionUpdate) -> None:
        auction = self.auction
        change = update.WhichOneof("change")
        if change == "bid":
            bid = update.bid.bid
            self.recent_bids.appendleft(bid)
            auction.price.CopyFrom(bid.price)
            auction.minimum_next_bid.CopyFrom(update.bid.minimum_next_bid)
            auction.bid_count = update.bid.bid_count
            auction.leader_alias = bid.leader_alias
            auction.reserve_status = update.bid.reserve_status
        elif change == "extension":
            auction.ends_at.CopyFrom(update.extension.ends_at)
            auction.extension_count = update.extension.extension_count
        elif change == "auction":
            if update.auction.bid_count < auction.bid_count:
                # Bids were taken back, and the feed does not say which.
                self.recent_bids.clear()
            auction.CopyFrom(update.auction)
        elif change == "end":
            auction.state = AuctionState.AUCTION_STATE_ENDED
            auction.outcome = update.end.outcome
            auction.price.CopyFrom(update.end.price)
            auction.ends_at.CopyFrom(update.end.ended_at)
            auction.leader_alias = update.end.winner_alias or auction.leader_alias
        elif change == "cancellation":
            auction.state = AuctionState.AUCTION_STATE_CANCELLED
            auction.outcome = AuctionOutcome.AUCTION_OUTCOME_CANCELLED
        auction.position.sequence = update.sequence
