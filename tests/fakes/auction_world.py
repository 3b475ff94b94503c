"""One auction's true history for feed tests: its events, its picture after each, and a source.

The picture is kept here independently of the code under test, field by field, as svc_auction would.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1.auction_pb2 import (
    Auction,
    AuctionOutcome,
    AuctionState,
    AuctionTerms,
    Bid,
    BuyNow,
    ReserveStatus,
)
from blytz.common.v1.money_pb2 import Money
from blytz.common.v1.position_pb2 import Position as PositionMessage
from blytz.events.v1.auction_events_pb2 import (
    AuctionCancelled,
    AuctionCreated,
    AuctionEnded,
    AuctionExtended,
    AuctionPaused,
    AuctionQueued,
    AuctionResumed,
    AuctionScheduled,
    AuctionStarted,
    AuctionUpdated,
    BidPlaced,
    BidRetracted,
)
from blytz.events.v1.event_pb2 import Event
from blytz.realtime.v1.realtime_service_pb2 import AuctionSnapshot
from svc_realtime.domain.change import Change, Snapshot
from svc_realtime.domain.errors import AuctionNotFound
from svc_realtime.domain.position import Position
from svc_realtime.infrastructure.event_mapping import change_of
from svc_realtime.infrastructure.frame_codec import serialised_snapshot

AUCTION_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
SELLER_ID = "0190a1b2-0000-7e5f-8a6b-000000000001"
BIDDER_ID = "0190a1b2-0000-7e5f-8a6b-0000000000b1"
LEADER_ID = "0190a1b2-0000-7e5f-8a6b-0000000000b2"
OUTBID_ID = "0190a1b2-0000-7e5f-8a6b-0000000000b3"
START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def usd(amount_minor: int) -> Money:
    return Money(currency_code="USD", amount_minor=amount_minor)


def stamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


class AuctionWorld:
    """What the database has: ``events[n - 1]`` is event n, ``pictures[n]`` the state after it."""

    def __init__(self, auction_id: str = AUCTION_ID, *, epoch: int = 1) -> None:
        self.auction_id = auction_id
        self.epoch = epoch
        self.now = START
        self.events: list[Event] = []
        self._auction = Auction(
            auction_id=auction_id,
            seller_id=SELLER_ID,
            seller_name="Ada's watches",
            title="Cartier Tank",
            description="A watch. " * 20,
            terms=AuctionTerms(opening_price=usd(100)),
            reserve_status=ReserveStatus.RESERVE_STATUS_NONE,
            state=AuctionState.AUCTION_STATE_DRAFT,
            price=usd(100),
            minimum_next_bid=usd(100),
            created_at=stamp(START),
        )
        self._bids: list[Bid] = []
        self.pictures: list[AuctionSnapshot] = [self._picture()]

    @property
    def last(self) -> int:
        return len(self.events)

    def create(self) -> Event:
        return self._commit("auction.created", auction_created=AuctionCreated(seller_id=SELLER_ID))

    def schedule(self) -> Event:
        self._auction.state = AuctionState.AUCTION_STATE_SCHEDULED
        self._auction.starts_at.CopyFrom(stamp(START + timedelta(hours=1)))
        self._auction.ends_at.CopyFrom(stamp(START + timedelta(hours=2)))
        return self._commit(
            "auction.scheduled", auction_scheduled=AuctionScheduled(auction=self._auction)
        )

    def start(self) -> Event:
        self._auction.state = AuctionState.AUCTION_STATE_LIVE
        self._auction.starts_at.CopyFrom(stamp(self.now))
        self._auction.ends_at.CopyFrom(stamp(START + timedelta(hours=2)))
        return self._commit(
            "auction.started", auction_started=AuctionStarted(auction=self._auction)
        )

    def queue(self) -> Event:
        self._auction.state = AuctionState.AUCTION_STATE_QUEUED
        return self._commit("auction.queued", auction_queued=AuctionQueued(auction=self._auction))

    def update(self) -> Event:
        self._auction.description = "A watch, with a scratch."
        return self._commit(
            "auction.updated", auction_updated=AuctionUpdated(auction=self._auction)
        )

    def pause(self) -> Event:
        self._auction.state = AuctionState.AUCTION_STATE_PAUSED
        self._auction.paused_at.CopyFrom(stamp(self.now))
        return self._commit("auction.paused", auction_paused=AuctionPaused(auction=self._auction))

    def resume(self) -> Event:
        self._auction.state = AuctionState.AUCTION_STATE_LIVE
        self._auction.ClearField("paused_at")
        self._auction.paused_for.FromTimedelta(timedelta(seconds=20))
        return self._commit(
            "auction.resumed", auction_resumed=AuctionResumed(auction=self._auction)
        )

    def offer_buy_now(self, price_minor: int) -> None:
        """Let the auction be bought at a price until a bid has reached it."""
        self._auction.terms.buy_now.CopyFrom(BuyNow(price=usd(price_minor)))
        self._auction.buy_now_offered = True

    def retract(self) -> Event:
        """Take the latest bid back, as if the one before it were the leader's."""
        gone, *stay = self._bids
        self._bids = [Bid(), *stay]
        self._bids[0].CopyFrom(gone)
        self._bids[0].retracted = True
        auction = self._auction
        auction.bid_count -= 1
        auction.price.CopyFrom(stay[0].price)
        auction.leader_alias = stay[0].leader_alias
        auction.bid_log_head = b"retraction" + bytes(22)
        return self._commit(
            "bid.retracted",
            bid_retracted=BidRetracted(
                auction=auction,
                bid_ids=[gone.bid_id],
                bidder_id=BIDDER_ID,
                leader_id=LEADER_ID,
            ),
        )

    def bid(self) -> Event:
        sequence = self.last + 1
        price_minor = self._auction.price.amount_minor + 50
        bid = Bid(
            bid_id=f"0190a1b2-0000-7e5f-8a6b-{sequence:012x}",
            auction_id=self.auction_id,
            sequence=sequence,
            bidder_alias=f"Amber Heron {sequence % 7}",
            price=usd(price_minor),
            leader_alias=f"Blue Otter {sequence % 5}",
            placed_at=stamp(self.now),
            record_hash=sequence.to_bytes(32, "big"),
        )
        self._bids.insert(0, bid)
        auction = self._auction
        auction.price.CopyFrom(bid.price)
        auction.minimum_next_bid.CopyFrom(usd(price_minor + 50))
        auction.bid_count += 1
        auction.leader_alias = bid.leader_alias
        auction.bid_log_head = bid.record_hash
        reached = price_minor >= auction.terms.buy_now.price.amount_minor
        auction.buy_now_offered = auction.buy_now_offered and not reached
        return self._commit(
            "bid.placed",
            bid_placed=BidPlaced(
                bid=bid,
                bidder_id=BIDDER_ID,
                leader_id=LEADER_ID,
                outbid_id=OUTBID_ID,
                minimum_next_bid=auction.minimum_next_bid,
                bid_count=auction.bid_count,
                reserve_status=auction.reserve_status,
            ),
        )

    def extend(self) -> Event:
        auction = self._auction
        auction.ends_at.CopyFrom(stamp(auction.ends_at.ToDatetime(UTC) + timedelta(seconds=30)))
        auction.extension_count += 1
        return self._commit(
            "auction.extended",
            auction_extended=AuctionExtended(
                ends_at=auction.ends_at, extension_count=auction.extension_count
            ),
        )

    def end(self, outcome: AuctionOutcome.ValueType = AuctionOutcome.AUCTION_OUTCOME_SOLD) -> Event:
        auction = self._auction
        auction.state = AuctionState.AUCTION_STATE_ENDED
        auction.outcome = outcome
        auction.buy_now_offered = False
        auction.ClearField("paused_at")
        auction.ends_at.CopyFrom(stamp(self.now))
        return self._commit(
            "auction.end",
            auction_ended=AuctionEnded(
                outcome=auction.outcome,
                price=auction.price,
                winner_id=LEADER_ID,
                winner_alias=auction.leader_alias,
                seller_id=SELLER_ID,
                ended_at=auction.ends_at,
                bid_log_head=auction.bid_log_head,
            ),
        )

    def cancel(self) -> Event:
        self._auction.state = AuctionState.AUCTION_STATE_CANCELLED
        self._auction.outcome = AuctionOutcome.AUCTION_OUTCOME_CANCELLED
        self._auction.buy_now_offered = False
        self._auction.ClearField("paused_at")
        return self._commit(
            "auction.cancelled", auction_cancelled=AuctionCancelled(reason="broken glass")
        )

    def live(self, bids: int = 0) -> "AuctionWorld":
        self.create()
        self.start()
        for _ in range(bids):
            self.bid()
        return self

    def change(self, sequence: int) -> Change:
        return change_of(self.events[sequence - 1].SerializeToString())

    def changes(self, start: int, end: int | None = None) -> list[Change]:
        """Return the changes ``start + 1`` to ``end``."""
        return [self.change(n) for n in range(start + 1, (end or self.last) + 1)]

    def snapshot(self, sequence: int | None = None) -> Snapshot:
        sequence = self.last if sequence is None else sequence
        picture = AuctionSnapshot()
        picture.CopyFrom(self.pictures[sequence])
        return serialised_snapshot(picture, Position(self.epoch, sequence))

    def _commit(self, kind: str, **payload: Any) -> Event:
        self.now += timedelta(milliseconds=10)
        sequence = self.last + 1
        self._auction.position.CopyFrom(PositionMessage(epoch=self.epoch, sequence=sequence))
        event = Event(
            event_id=f"0190a1b2-1111-7e5f-8a6b-{sequence:012x}",
            type=kind,
            aggregate_id=self.auction_id,
            epoch=self.epoch,
            sequence=sequence,
            occurred_at=stamp(self.now),
            **payload,
        )
        self.events.append(event)
        self.pictures.append(self._picture())
        return event

    def _picture(self) -> AuctionSnapshot:
        return AuctionSnapshot(auction=self._auction, recent_bids=self._bids[:50])


class WorldSource:
    """The `AuctionSource` of some worlds. It counts, it can lag behind, fail, and be held up."""

    def __init__(self, *worlds: AuctionWorld) -> None:
        self.worlds = {world.auction_id: world for world in worlds}
        self.loads = 0
        self.lag = 0
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def load(self, auction_id: str) -> Snapshot:
        self.loads += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        world = self.worlds.get(auction_id)
        if world is None or world.last < 2:
            raise AuctionNotFound(auction_id=auction_id)
        snapshot = world.snapshot(max(2, world.last - self.lag))
        await self.gate.wait()
        return snapshot
