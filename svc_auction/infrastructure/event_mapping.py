"""What happened to an auction, as the event that the other services get."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from blytz.auction.v1 import auction_pb2
from blytz.common.v1.money_pb2 import Money
from blytz.events.v1 import auction_events_pb2 as messages
from blytz.events.v1.event_pb2 import Event
from kernel.ids import new_id
from servicekit.events.outbox import OutboxEvent
from svc_auction.application.ports import PlacedBid
from svc_auction.domain import events
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import Book
from svc_auction.domain.terms import Terms
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.proto_mapping import (
    auction_message,
    bid_message,
    reserve_status,
    to_timestamp,
)

TOPIC = "auction.events"
NOTICES_TOPIC = "notification.events"
PEOPLE_MAX = 500
"""How many people one event tells."""
Outbid = tuple[Book, Terms, str]
"""An auction that somebody else leads now, and the id of who led it before."""
_WITH_AUCTION = {
    events.AuctionScheduled: ("auction.scheduled", "auction_scheduled", messages.AuctionScheduled),
    events.AuctionQueued: ("auction.queued", "auction_queued", messages.AuctionQueued),
    events.AuctionStarted: ("auction.started", "auction_started", messages.AuctionStarted),
    events.AuctionUpdated: ("auction.updated", "auction_updated", messages.AuctionUpdated),
    events.AuctionPaused: ("auction.paused", "auction_paused", messages.AuctionPaused),
    events.AuctionResumed: ("auction.resumed", "auction_resumed", messages.AuctionResumed),
}
"""Events that carry the auction as it was after them."""


def bid_placed_event(
    *,
    auction_id: str,
    epoch: int,
    terms: Terms,
    event: events.BidPlaced,
    aliases: Aliases,
    traceparent: str = "",
) -> OutboxEvent:
    """Return the event of an accepted bid; that of a sealed one tells no amount and no leader.

    The reserve is met exactly if the price has reached it, since a sufficient maximum lifts it.
    """
    currency_code, price_minor, sealed = terms.currency_code, event.price_minor, terms.format.sealed
    payload = messages.BidPlaced(
        bid=bid_message(auction_id, terms, event, aliases),
        bidder_id=event.bidder_id,
        leader_id="" if sealed else event.leader_id,
        outbid_id="" if sealed else event.outbid_id or "",
        minimum_next_bid=Money(
            currency_code=currency_code,
            amount_minor=price_minor
            if event.won
            else terms.format.next_minimum_minor(terms, price_minor),
        ),
        bid_count=event.bid_count,
        reserve_status=reserve_status(terms, 0 if sealed else price_minor),
    )
    return _enveloped(auction_id, epoch, event, "bid.placed", traceparent, bid_placed=payload)


def follow_up_event(placed: PlacedBid, event: events.AuctionEvent, aliases: Aliases) -> OutboxEvent:
    """Return the event of what a bid caused: a later end, or the end."""
    if isinstance(event, events.AuctionEnded):
        ended = _ended(placed.auction_id, placed.terms, event, aliases)
        return _enveloped(
            placed.auction_id, placed.epoch, event, "auction.end", auction_ended=ended
        )
    if isinstance(event, events.AuctionExtended):
        extended = messages.AuctionExtended(
            ends_at=to_timestamp(event.ends_at), extension_count=event.extension_count
        )
        return _enveloped(
            placed.auction_id, placed.epoch, event, "auction.extended", auction_extended=extended
        )
    raise TypeError(f"no bid causes {type(event).__name__}")


def outbid_events(outbid: Sequence[Outbid], now: datetime) -> list[OutboxEvent]:
    """Return the notices to those who lost the lead in one commit."""
    return [
        _notice(
            some[0][0].auction_id,
            "bid.outbid",
            now,
            bids_outbid=messages.BidsOutbid(notices=[_outbid_notice(*one) for one in some]),
        )
        for start in range(0, len(outbid), PEOPLE_MAX)
        if (some := outbid[start : start + PEOPLE_MAX])
    ]


def _outbid_notice(book: Book, terms: Terms, outbid_id: str) -> messages.OutbidNotice:
    currency_code = terms.currency_code
    return messages.OutbidNotice(
        auction_id=book.auction_id,
        bidder_id=outbid_id,
        price=Money(currency_code=currency_code, amount_minor=book.price_minor),
        minimum_next_bid=Money(
            currency_code=currency_code,
            amount_minor=terms.format.next_minimum_minor(terms, book.price_minor),
        ),
        ends_at=to_timestamp(book.ends_at) if book.ends_at is not None else None,
    )


def ending_soon_events(
    auction: Auction, watcher_ids: Sequence[str], now: datetime
) -> list[OutboxEvent]:
    """Return the notices for those who watch an auction; one goes out even if nobody does."""
    terms, book, listing = auction.terms, auction.book, auction.listing
    price_minor = terms.format.shown_price_minor(terms, book.price_minor)
    return [
        _notice(
            listing.auction_id,
            "auction.ending_soon",
            now,
            auction_ending_soon=messages.AuctionEndingSoon(
                auction_id=listing.auction_id,
                title=listing.title,
                ends_at=to_timestamp(book.ends_at or now),
                price=Money(currency_code=terms.currency_code, amount_minor=price_minor),
                watcher_ids=watcher_ids[start : start + PEOPLE_MAX],
            ),
        )
        for start in range(0, max(1, len(watcher_ids)), PEOPLE_MAX)
    ]


def auction_event(auction: Auction, event: events.AuctionEvent, aliases: Aliases) -> OutboxEvent:
    """Return the event of a change of an auction's state."""
    auction_id, epoch, terms = auction.listing.auction_id, auction.book.epoch, auction.terms
    if type(event) in _WITH_AUCTION:
        event_type, field, message_class = _WITH_AUCTION[type(event)]
        payload = message_class(auction=auction_message(auction, aliases))
        return _enveloped(auction_id, epoch, event, event_type, "", **{field: payload})
    match event:
        case events.AuctionCreated():
            created = messages.AuctionCreated(seller_id=terms.seller_id)
            return _enveloped(auction_id, epoch, event, "auction.created", auction_created=created)
        case events.AuctionEnded():
            ended = _ended(auction_id, terms, event, aliases)
            return _enveloped(auction_id, epoch, event, "auction.end", auction_ended=ended)
        case events.AuctionCancelled():
            cancelled = messages.AuctionCancelled(reason=event.reason)
            return _enveloped(
                auction_id, epoch, event, "auction.cancelled", auction_cancelled=cancelled
            )
        case events.BidsRetracted():
            retracted = messages.BidRetracted(
                auction=auction_message(auction, aliases),
                bid_ids=event.bid_ids,
                bidder_id=event.bidder_id,
                leader_id="" if terms.format.sealed else event.leader_id or "",
            )
            return _enveloped(auction_id, epoch, event, "bid.retracted", bid_retracted=retracted)
    raise TypeError(f"{type(event).__name__} has no event of its own")


def _ended(
    auction_id: str, terms: Terms, event: events.AuctionEnded, aliases: Aliases
) -> messages.AuctionEnded:
    return messages.AuctionEnded(
        outcome=auction_pb2.AuctionOutcome.ValueType(event.outcome),
        price=Money(currency_code=terms.currency_code, amount_minor=event.price_minor),
        winner_id=event.winner_id or "",
        winner_alias=aliases.of(auction_id, event.winner_id) if event.winner_id else "",
        seller_id=terms.seller_id,
        ended_at=to_timestamp(event.occurred_at),
        bid_log_head=event.log_head,
    )


def _notice(key: str, event_type: str, now: datetime, **payload: Any) -> OutboxEvent:
    """Return an event that has no place in a sequence."""
    envelope = Event(
        event_id=new_id(),
        type=event_type,
        aggregate_id=key,
        occurred_at=to_timestamp(now),
        **payload,
    )
    return OutboxEvent(NOTICES_TOPIC, key, envelope.SerializeToString())


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
