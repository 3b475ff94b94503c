"""Shows as the contract's messages, and what happened to them as events."""

from blytz.auction.v1 import show_pb2
from blytz.common.v1.money_pb2 import Money as MoneyMessage
from blytz.common.v1.position_pb2 import Position
from blytz.events.v1.auction_events_pb2 import ShowChanged
from blytz.events.v1.event_pb2 import Event
from kernel.ids import new_id
from servicekit.events.outbox import OutboxEvent
from svc_auction.domain.show import EPOCH, Show
from svc_auction.domain.show_events import (
    ShowEnded,
    ShowEvent,
    ShowScheduled,
    ShowStarted,
    ShowUpdated,
)
from svc_auction.infrastructure.proto_mapping import to_timestamp

TOPIC = "show.events"
_TYPES: dict[type[ShowEvent], str] = {
    ShowScheduled: "show.scheduled",
    ShowUpdated: "show.updated",
    ShowStarted: "show.started",
    ShowEnded: "show.ended",
}


def show_message(show: Show) -> show_pb2.Show:
    """Return a show as anyone may see it."""
    message = show_pb2.Show(
        show_id=show.show_id,
        seller_id=show.seller_id,
        seller_name=show.seller_name,
        title=show.title,
        description=show.description,
        image_url=show.image_url,
        state=show_pb2.ShowState.ValueType(show.state),
        starts_at=to_timestamp(show.starts_at),
        lot_ids=show.lot_ids,
        etag=show.etag,
        created_at=to_timestamp(show.created_at),
        position=Position(epoch=EPOCH, sequence=show.sequence),
    )
    if show.ended_at is not None:
        message.ended_at.CopyFrom(to_timestamp(show.ended_at))
    if show.bidder_limit is not None:
        message.bidder_limit.CopyFrom(
            MoneyMessage(
                currency_code=show.bidder_limit.currency_code,
                amount_minor=show.bidder_limit.amount_minor,
            )
        )
    return message


def show_event(show: Show, event: ShowEvent) -> OutboxEvent:
    """Return the event that carries a show as it is after it."""
    envelope = Event(
        event_id=new_id(),
        type=_TYPES[type(event)],
        aggregate_id=show.show_id,
        epoch=EPOCH,
        sequence=event.sequence,
        occurred_at=to_timestamp(event.occurred_at),
        show_changed=ShowChanged(show=show_message(show)),
    )
    return OutboxEvent(TOPIC, show.show_id, envelope.SerializeToString())
