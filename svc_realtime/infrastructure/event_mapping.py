"""From the events of the auction topic to what viewers are sent of them.

Every kind of event is named here, and what only some may see of an auction or a bid is cut off:
nothing reaches a viewer because it happened to be in an event.
"""

from blytz.events.v1.event_pb2 import Event
from blytz.realtime.v1.realtime_service_pb2 import (
    AuctionUpdate,
    BidUpdate,
    CancellationUpdate,
    EndUpdate,
    ExtensionUpdate,
)
from svc_realtime.domain.change import Change
from svc_realtime.domain.position import Position
from svc_realtime.infrastructure.frame_codec import serialised_update

WITH_AUCTION = frozenset(
    {
        "auction_scheduled",
        "auction_queued",
        "auction_started",
        "auction_updated",
        "auction_paused",
        "auction_resumed",
        "bid_retracted",
    }
)
"""Payloads with the auction as it was after them, which is what viewers are sent of them."""


class MalformedEvent(Exception):
    """A record of the topic is no event of an auction."""


def change_of(record: bytes) -> Change:
    """Return the change that a record of the topic tells; ``MalformedEvent`` if it is none."""
    try:
        event = Event.FromString(record)
    except Exception as error:
        raise MalformedEvent(str(error)) from error
    if not event.aggregate_id or not event.epoch or not event.sequence:
        raise MalformedEvent(f"event {event.event_id!r} has no place in an auction's log")
    update = update_of(event)
    return Change(
        auction_id=event.aggregate_id,
        position=Position(event.epoch, event.sequence),
        committed_at_s=event.occurred_at.seconds + event.occurred_at.nanos / 1e9,
        update=b"" if update is None else serialised_update(update),
    )


def update_of(event: Event) -> AuctionUpdate | None:
    """Return what viewers are sent of an event, or None where there is nothing to show."""
    update = AuctionUpdate(sequence=event.sequence, occurred_at=event.occurred_at)
    payload = event.WhichOneof("payload")
    if payload == "bid_placed":
        placed = event.bid_placed
        update.bid.CopyFrom(
            BidUpdate(
                bid=placed.bid,
                minimum_next_bid=placed.minimum_next_bid,
                bid_count=placed.bid_count,
                reserve_status=placed.reserve_status,
            )
        )
        update.bid.bid.ClearField("bidder_id")
    elif payload == "auction_extended":
        extended = event.auction_extended
        update.extension.CopyFrom(
            ExtensionUpdate(ends_at=extended.ends_at, extension_count=extended.extension_count)
        )
    elif payload in WITH_AUCTION:
        update.auction.CopyFrom(getattr(event, payload).auction)
        update.auction.ClearField("leader_id")
    elif payload == "auction_ended":
        ended = event.auction_ended
        update.end.CopyFrom(
            EndUpdate(
                outcome=ended.outcome,
                price=ended.price,
                winner_alias=ended.winner_alias,
                ended_at=ended.ended_at,
                bid_log_head=ended.bid_log_head,
            )
        )
    elif payload == "auction_cancelled":
        update.cancellation.CopyFrom(CancellationUpdate(reason=event.auction_cancelled.reason))
    else:
        return None
    return update
