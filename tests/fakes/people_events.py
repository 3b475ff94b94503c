"""What other services tell of people, and what a shard knows of them."""

from datetime import UTC, datetime
from typing import Any

from blytz.events.v1.event_pb2 import Event
from blytz.events.v1.payment_events_pb2 import SavedCardChanged
from blytz.events.v1.user_events_pb2 import AccountsLinked
from kernel.ids import new_id
from svc_auction.infrastructure.people_events import note_people
from svc_auction.infrastructure.shards import Shard, Shards

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
BARS = "select seller_id, bidder_id, kind, barred from bars where seller_id = any(%s::uuid[])"
CARDS = "select bidder_id, saved from card_holders where bidder_id = any(%s::uuid[])"


def event_of(event_type: str, at: datetime = NOON, **payload: Any) -> Event:
    event = Event(event_id=new_id(), type=event_type, aggregate_id=new_id(), **payload)
    event.occurred_at.FromDatetime(at)
    return event


def linked(one_id: str, other_id: str, at: datetime = NOON, *, together: bool = True) -> Event:
    link = AccountsLinked(user_id=one_id, linked_user_id=other_id, linked=together)
    return event_of("user.linked", at, accounts_linked=link)


def card(user_id: str, at: datetime = NOON, *, saved: bool = True) -> Event:
    change = SavedCardChanged(user_id=user_id, saved=saved)
    event_type = "card.saved" if saved else "card.removed"
    return event_of(event_type, at, saved_card_changed=change)


async def note(shard: Shard, *events: Event) -> None:
    async with shard.transaction() as connection:
        for event in events:
            await note_people(connection, event)


def only_of(shards: Shards, number: int) -> Shard:
    return next(shard for shard in shards if shard.number == number)
