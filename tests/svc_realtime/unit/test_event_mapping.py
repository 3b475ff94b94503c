from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor

from blytz.events.v1.auction_events_pb2 import AuctionEndingSoon
from blytz.events.v1.event_pb2 import Event
from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionResponse
from fakes.auction_world import BIDDER_ID, LEADER_ID, OUTBID_ID, AuctionWorld
from svc_realtime.domain.position import Position
from svc_realtime.infrastructure.event_mapping import MalformedEvent, change_of, update_of

PUBLIC_IDS = {"auction_id", "bid_id", "seller_id"}
"""The ids that a viewer may see: what is sold, which bid, and who sells."""


CUT_OFF_IDS = {"show_id", "leader_id", "bidder_id"}
"""Ids that messages of a frame have room for: the show is public, people are cut off."""


def fields_below(message: Descriptor, seen: set[str]) -> Iterator[str]:
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field.name
        if field.message_type is not None:
            yield from fields_below(field.message_type, seen)


def test_no_field_of_a_frame_can_hold_a_maximum() -> None:
    names = set(fields_below(WatchAuctionResponse.DESCRIPTOR, set()))
    ids = {name for name in names if name.endswith(("_id", "_ids"))}
    assert ids == PUBLIC_IDS | CUT_OFF_IDS
    forbidden = ("maximum", "outbid", "winner_id", "email", "user")
    assert not [name for name in names if any(word in name for word in forbidden)]
    assert {name for name in names if "reserve" in name} == {"reserve_status"}


def every_kind_of_event() -> list[Event]:
    world = AuctionWorld()
    events = [world.create(), world.schedule(), world.start(), world.bid(), world.extend()]
    events += [world.bid(), world.retract(), world.pause(), world.resume(), world.update()]
    return [*events, world.end(), AuctionWorld().queue(), AuctionWorld().live(bids=1).cancel()]


def test_the_ids_of_people_in_events_never_reach_a_frame() -> None:
    for event in every_kind_of_event():
        record = event.SerializeToString()
        update = change_of(record).update
        for person in (BIDDER_ID, LEADER_ID, OUTBID_ID):
            assert person.encode() not in update


def test_what_only_some_may_see_is_cut_off_even_if_an_event_has_it() -> None:
    world = AuctionWorld().live(bids=2)
    placed, retracted = world.events[-1], world.retract()
    placed.bid_placed.bid.bidder_id = BIDDER_ID
    retracted.bid_retracted.auction.leader_id = LEADER_ID
    for event in (placed, retracted):
        update = change_of(event.SerializeToString()).update
        assert BIDDER_ID.encode() not in update
        assert LEADER_ID.encode() not in update


def test_a_retraction_tells_how_the_auction_stands_without_the_bid() -> None:
    world = AuctionWorld().live(bids=2)
    update = update_of(world.retract())
    assert update is not None
    assert update.auction.bid_count == 1
    assert update.auction.price.amount_minor == 150


def test_each_kind_becomes_its_change() -> None:
    kinds = []
    for event in every_kind_of_event():
        update = update_of(event)
        if update is not None:
            assert update.sequence == event.sequence
            assert update.occurred_at == event.occurred_at
        kinds.append(None if update is None else update.WhichOneof("change"))
    assert kinds == [
        None,
        "auction",
        "auction",
        "bid",
        "extension",
        "bid",
        *(("auction",) * 4),
        "end",
        "auction",
        "cancellation",
    ]


def test_every_payload_of_the_contract_is_shown_or_known_not_to_be() -> None:
    shown = {
        "auction_scheduled",
        "auction_started",
        "auction_queued",
        "auction_updated",
        "auction_paused",
        "auction_resumed",
        "bid_retracted",
        "bid_placed",
        "auction_extended",
        "auction_ended",
        "auction_cancelled",
    }
    for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields:
        event = Event(aggregate_id="a", epoch=1, sequence=1)
        getattr(event, field.name).SetInParent()
        assert (update_of(event) is not None) == (field.name in shown), field.name


def test_a_change_knows_its_place_and_its_time() -> None:
    event = AuctionWorld().live(bids=1).events[-1]
    change = change_of(event.SerializeToString())
    assert change.position == Position(1, 3)
    assert change.auction_id == event.aggregate_id
    assert change.committed_at_s == pytest.approx(event.occurred_at.ToNanoseconds() / 1e9)


def test_what_is_not_shown_still_has_its_place() -> None:
    world = AuctionWorld()
    change = change_of(world.create().SerializeToString())
    assert change.update == b""
    assert change.position == Position(1, 1)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xff\xff",
        Event(aggregate_id="a", epoch=1).SerializeToString(),
        Event(aggregate_id="a", auction_ending_soon=AuctionEndingSoon()).SerializeToString(),
    ],
    ids=["empty", "garbage", "without a sequence", "a notice"],
)
def test_what_is_no_event_is_refused(record: bytes) -> None:
    with pytest.raises(MalformedEvent):
        change_of(record)
