"""What happened to an auction, as the event that the other services get."""

from typing import Any

from blytz.auction.v1 import auction_pb2
from blytz.common.v1.money_pb2 import Money
from blytz.events.v1 import auction_events_pb2 as messages
from blytz.events.v1.event_pb2 import Event
from kernel.ids import new_id
from servicekit.events.outbox import OutboxEvent
from svc_auction.domain import events
from svc_auction.domain.auction import Auction, Terms
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.proto_mapping import (
    auction_message,
    bid_message,
    reserve_status,
    to_timestamp,
)

TOPIC = "auction.events"


def bid_placed_event(
    *,
    auction_id: str,
    epoch: int,
    terms: Terms,
    event: events.BidPlaced,
    aliases: Aliases,
    traceparent: str = "",
) -> OutboxEvent:
    """Return the event of an accepted bid.

    The reserve is met exactly if the price has reached it, since a sufficient maximum lifts it.
    """
    currency_code, price_minor = terms.currency_code, event.price_minor
    payload = messages.BidPlaced(
        bid=bid_message(auction_id, currency_code, event, aliases),
        bidder_id=event.bidder_id,
        leader_id=event.leader_id,
        outbid_id=event.outbid_id or "",
        minimum_next_bid=Money(
            currency_code=currency_code,
            amount_minor=price_minor + terms.ladder.step_minor(price_minor),
        ),
        bid_count=event.bid_count,
        reserve_status=reserve_status(terms, price_minor),
    )
    return _enveloped(auction_id, epoch, event, "bid.placed", traceparent, bid_placed=payload)


def extended_event(*, auction_id: str, epoch: int, event: events.AuctionExtended) -> OutboxEvent:
    """Return the event of a moved end."""
    payload = messages.AuctionExtended(
        ends_at=to_timestamp(event.ends_at), extension_count=event.extension_count
    )
    return _enveloped(auction_id, epoch, event, "auction.extended", auction_extended=payload)


def auction_event(auction: Auction, event: events.AuctionEvent, aliases: Aliases) -> OutboxEvent:
    """Return the event of a change of an auction's state."""
    auction_id, epoch = auction.listing.auction_id, auction.book.epoch
    terms = auction.terms
    match event:
        case events.AuctionCreated():
            created = messages.AuctionCreated(seller_id=terms.seller_id)
            return _enveloped(auction_id, epoch, event, "auction.created", auction_created=created)
        case events.AuctionScheduled():
            scheduled = messages.AuctionScheduled(auction=auction_message(auction, aliases))
            return _enveloped(
                auction_id, epoch, event, "auction.scheduled", auction_scheduled=scheduled
            )
        case events.AuctionStarted():
            started = messages.AuctionStarted(auction=auction_message(auction, aliases))
            return _enveloped(auction_id, epoch, event, "auction.started", auction_started=started)
        case events.AuctionEnded():
            ended = messages.AuctionEnded(
                outcome=auction_pb2.AuctionOutcome.ValueType(event.outcome),
                price=Money(currency_code=terms.currency_code, amount_minor=event.price_minor),
                winner_id=event.winner_id or "",
                winner_alias=aliases.of(auction_id, event.winner_id) if event.winner_id else "",
                seller_id=terms.seller_id,
                ended_at=to_timestamp(event.occurred_at),
                bid_log_head=event.log_head,
            )
            return _enveloped(auction_id, epoch, event, "auction.end", auction_ended=ended)
        case events.AuctionCancelled():
            cancelled = messages.AuctionCancelled(reason=event.reason)
            return _enveloped(
                auction_id, epoch, event, "auction.cancelled", auction_cancelled=cancelled
            )
    raise TypeError(f"{type(event).__name__} has no event of its own")


def _enveloped(
    auction_id: str,
    epoch: int,
    event: events.AuctionEvent,
    event_type: str,
    traceparent: str = "",
    **payload: Any,
) -> OutboxEvent:
    envelope = Event(
        event_id=new_id(),
        type=event_type,
        aggregate_id=auction_id,
        epoch=epoch,
        sequence=event.sequence,
        occurred_at=to_timestamp(event.occurred_at),
        traceparent=traceparent,
        **payload,
    )
    return OutboxEvent(TOPIC, auction_id, envelope.SerializeToString())
