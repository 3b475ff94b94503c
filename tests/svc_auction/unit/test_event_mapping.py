from collections.abc import Callable
from datetime import timedelta

import pytest

from blytz.auction.v1 import auction_pb2
from blytz.events.v1.event_pb2 import Event
from fakes.auction_books import (
    ADA,
    AUCTION_ID,
    BOB,
    END,
    SELLER,
    START,
    auction_of,
    bid_of,
    enter,
    place,
    soft_close,
    terms_of,
)
from servicekit.events.outbox import OutboxEvent
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.auction import Update
from svc_auction.domain.book import State
from svc_auction.domain.events import AuctionCreated, AuctionEvent
from svc_auction.domain.formats import SEALED_FIRST_PRICE, SEALED_SECOND_PRICE
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.terms import BuyNow, BuyNowAvailability
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.event_mapping import (
    NOTICES_TOPIC,
    PEOPLE_MAX,
    auction_event,
    bid_placed_event,
    ending_soon_events,
    follow_up_event,
    outbid_events,
)
from svc_auction.infrastructure.proto_mapping import to_datetime

ALIASES = Aliases("a key")


def opened(outbox_event: OutboxEvent) -> Event:
    """Check what every event of an auction has, and return it."""
    event = Event.FromString(outbox_event.payload)
    assert (outbox_event.topic, outbox_event.key) == ("auction.events", AUCTION_ID)
    assert (event.aggregate_id, event.epoch) == (AUCTION_ID, 1)
    assert event.event_id != ""
    return event


def test_a_bid_is_published_without_its_maximum() -> None:
    auction = auction_of(terms_of(reserve_minor=5_000))
    place(auction.terms, auction.book, ADA, 4_321)
    placed, _ = place(auction.terms, auction.book, BOB, 98_761)
    event = opened(
        bid_placed_event(
            auction_id=AUCTION_ID, epoch=1, terms=auction.terms, event=placed, aliases=ALIASES
        )
    )
    assert (event.type, event.sequence) == ("bid.placed", 4)
    bid = event.bid_placed
    assert (bid.bidder_id, bid.leader_id, bid.outbid_id) == (BOB, BOB, ADA)
    assert (bid.bid.price.amount_minor, bid.minimum_next_bid.amount_minor) == (5_000, 5_100)
    assert (bid.bid_count, bid.reserve_status) == (2, auction_pb2.RESERVE_STATUS_MET)
    assert not any(hidden in str(event) for hidden in ("98761", "4321"))


def test_a_moved_end_is_an_event_of_its_own() -> None:
    auction = auction_of(terms_of(soft_close=soft_close(by_s=120)))
    now = END - timedelta(seconds=1)
    bid, extended = place(auction.terms, auction.book, ADA, 100, now=now)
    assert extended is not None
    placed = PlacedBid(AUCTION_ID, 1, auction.terms, bid)
    event = opened(follow_up_event(placed, extended, ALIASES))
    assert (event.type, event.sequence) == ("auction.extended", 4)
    assert to_datetime(event.auction_extended.ends_at) == now + timedelta(seconds=120)
    assert event.auction_extended.extension_count == 1


def test_the_end_names_the_winner_the_price_and_the_head_of_the_log() -> None:
    auction = auction_of(terms_of())
    place(auction.terms, auction.book, ADA, 98_761)
    event = opened(auction_event(auction, auction.close(now=END), ALIASES))
    assert (event.type, event.sequence) == ("auction.end", 4)
    ended = event.auction_ended
    assert (ended.outcome, ended.price.amount_minor) == (auction_pb2.AUCTION_OUTCOME_SOLD, 1)
    assert (ended.winner_id, ended.seller_id) == (ADA, SELLER)
    assert ended.winner_alias == ALIASES.of(AUCTION_ID, ADA)
    assert ended.bid_log_head == auction.book.log_head
    assert to_datetime(ended.ended_at) == END


def test_without_a_sale_there_is_no_winner() -> None:
    auction = auction_of(terms_of(reserve_minor=500))
    place(auction.terms, auction.book, ADA, 100)
    ended = opened(auction_event(auction, auction.close(now=END), ALIASES)).auction_ended
    assert (ended.winner_id, ended.winner_alias) == ("", "")
    assert ended.outcome == auction_pb2.AUCTION_OUTCOME_RESERVE_NOT_MET


def test_a_bid_that_ends_the_auction_has_the_end_follow_it() -> None:
    auction = auction_of(terms_of(buy_now=BuyNow(50_00, BuyNowAvailability.UNTIL_REACHED)))
    bid, ended = enter(auction.terms, auction.book, bid_of(ADA, 50_00, buys=True))
    assert ended is not None
    placed = PlacedBid(AUCTION_ID, 1, auction.terms, bid)
    event = opened(follow_up_event(placed, ended, ALIASES))
    assert (event.type, event.sequence) == ("auction.end", bid.sequence + 1)
    assert event.auction_ended.outcome == auction_pb2.AUCTION_OUTCOME_BOUGHT_NOW
    assert (event.auction_ended.winner_id, event.auction_ended.seller_id) == (ADA, SELLER)
    assert event.auction_ended.price.amount_minor == 50_00
    assert event.auction_ended.bid_log_head == bid.record_hash
    assert event == opened_like(event, auction_event(auction, ended, ALIASES))


def opened_like(event: Event, outbox_event: OutboxEvent) -> Event:
    """Return an event under the id of another: ids are drawn."""
    found = opened(outbox_event)
    found.event_id = event.event_id
    return found


def test_nothing_else_follows_a_bid() -> None:
    auction = auction_of(terms_of())
    bid, _ = place(auction.terms, auction.book, ADA, 100)
    placed = PlacedBid(AUCTION_ID, 1, auction.terms, bid)
    with pytest.raises(TypeError, match="AuctionPaused"):
        follow_up_event(placed, auction.pause(now=START), ALIASES)


@pytest.mark.parametrize("format_", [SEALED_FIRST_PRICE, SEALED_SECOND_PRICE])
def test_the_event_of_a_sealed_bid_tells_no_amount_and_no_leader(format_: Format) -> None:
    published = []
    for maximum_minor in (98_761, 4_321):
        auction = auction_of(terms_of(format=format_, opening_minor=1_000, reserve_minor=5_000))
        place(auction.terms, auction.book, BOB, 50_000)
        bid, _ = place(auction.terms, auction.book, ADA, maximum_minor)
        outbox_event = bid_placed_event(
            auction_id=AUCTION_ID, epoch=1, terms=auction.terms, event=bid, aliases=ALIASES
        )
        event = opened(outbox_event)
        placed = event.bid_placed
        assert (placed.bidder_id, placed.leader_id, placed.outbid_id) == (ADA, "", "")
        assert placed.bid.leader_alias == ""
        assert placed.bid.price.amount_minor == placed.minimum_next_bid.amount_minor == 1_000
        assert placed.reserve_status == auction_pb2.RESERVE_STATUS_NOT_MET
        event.ClearField("event_id")
        placed.bid.ClearField("bid_id")
        placed.bid.ClearField("record_hash")
        published.append(event)
    assert published[0] == published[1]


def test_a_bid_that_won_leaves_no_higher_minimum() -> None:
    auction = auction_of(terms_of(buy_now=BuyNow(50_00, BuyNowAvailability.WHOLE_AUCTION)))
    bid, _ = enter(auction.terms, auction.book, bid_of(ADA, 98_761))
    event = opened(
        bid_placed_event(
            auction_id=AUCTION_ID, epoch=1, terms=auction.terms, event=bid, aliases=ALIASES
        )
    )
    assert event.bid_placed.minimum_next_bid.amount_minor == 50_00
    assert "98761" not in str(event)


def test_a_trace_goes_along() -> None:
    auction = auction_of(terms_of())
    bid, _ = place(auction.terms, auction.book, ADA, 100)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    event = opened(
        bid_placed_event(
            auction_id=AUCTION_ID,
            epoch=1,
            terms=auction.terms,
            event=bid,
            aliases=ALIASES,
            traceparent=trace,
        )
    )
    assert event.traceparent == trace


def notice(outbox_event: OutboxEvent, key: str) -> Event:
    """Check what every notice has, and return it: it has no place in the auction's sequence."""
    event = Event.FromString(outbox_event.payload)
    assert (outbox_event.topic, outbox_event.key, event.aggregate_id) == (NOTICES_TOPIC, key, key)
    assert (event.sequence, event.epoch) == (0, 0)
    assert to_datetime(event.occurred_at) == START
    return event


def test_whoever_is_outbid_gets_a_notice_with_the_next_minimum() -> None:
    auction = auction_of(terms_of())
    place(auction.terms, auction.book, ADA, 100)
    place(auction.terms, auction.book, BOB, 98_761)
    (outbox_event,) = outbid_events([(auction.book, auction.terms, ADA)], START)
    event = notice(outbox_event, AUCTION_ID)
    assert event.type == "bid.outbid"
    (outbid,) = event.bids_outbid.notices
    assert (outbid.auction_id, outbid.bidder_id) == (AUCTION_ID, ADA)
    assert (outbid.price.amount_minor, outbid.minimum_next_bid.amount_minor) == (125, 150)
    assert to_datetime(outbid.ends_at) == END
    assert "98761" not in str(event)


def test_a_lot_that_waits_has_no_end_to_tell_of() -> None:
    auction = auction_of(terms_of(), state=State.QUEUED, starts_at=None, ends_at=None)
    place(auction.terms, auction.book, BOB, 100)
    (outbox_event,) = outbid_events([(auction.book, auction.terms, ADA)], START)
    (outbid,) = notice(outbox_event, AUCTION_ID).bids_outbid.notices
    assert not outbid.HasField("ends_at")


def test_those_who_are_outbid_together_are_told_in_notices_of_so_many() -> None:
    auction = auction_of(terms_of())
    bidder_ids = [f"bidder {number}" for number in range(PEOPLE_MAX + 1)]
    outbid = [(auction.book, auction.terms, bidder_id) for bidder_id in bidder_ids]
    events = [notice(found, AUCTION_ID).bids_outbid for found in outbid_events(outbid, START)]
    assert [len(event.notices) for event in events] == [PEOPLE_MAX, 1]
    assert [one.bidder_id for event in events for one in event.notices] == bidder_ids
    assert outbid_events([], START) == []


@pytest.mark.parametrize(
    ("count", "named"),
    [(0, [0]), (1, [1]), (PEOPLE_MAX, [500]), (PEOPLE_MAX + 1, [500, 1]), (1_000, [500, 500])],
)
def test_watchers_are_told_in_notices_of_so_many(count: int, named: list[int]) -> None:
    auction = auction_of(terms_of(format=SEALED_SECOND_PRICE, opening_minor=1_000))
    place(auction.terms, auction.book, ADA, 98_761)
    place(auction.terms, auction.book, BOB, 54_321)
    watcher_ids = [f"watcher {number}" for number in range(count)]
    found = ending_soon_events(auction, watcher_ids, START)
    events = [notice(outbox_event, AUCTION_ID).auction_ending_soon for outbox_event in found]
    assert [len(event.watcher_ids) for event in events] == named
    assert [watcher for event in events for watcher in event.watcher_ids] == watcher_ids
    for event in events:
        assert (event.auction_id, event.title) == (AUCTION_ID, "A watch")
        assert (to_datetime(event.ends_at), event.price.amount_minor) == (END, 1_000)


def test_every_change_of_state_has_its_event() -> None:
    auction = auction_of(terms_of(), state=State.DRAFT, sequence=1)
    created = AuctionCreated(sequence=1, occurred_at=START)
    events = [opened(auction_event(auction, created, ALIASES))]
    changes: list[Callable[[], AuctionEvent | None]] = [
        lambda: auction.schedule(now=START, starts_at=START, ends_at=END),
        lambda: auction.update(now=START, etag="", update=Update(title="A clock")),
        lambda: auction.start_on_schedule(now=START),
        lambda: auction.pause(now=START),
        lambda: auction.resume(now=START),
        lambda: auction.cancel(now=START, reason="Broken.", by_moderator=False),
    ]
    for change in changes:
        event = change()
        assert event is not None
        events.append(opened(auction_event(auction, event, ALIASES)))
    assert [event.type for event in events] == [
        "auction.created",
        "auction.scheduled",
        "auction.updated",
        "auction.started",
        "auction.paused",
        "auction.resumed",
        "auction.cancelled",
    ]
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert events[0].auction_created.seller_id == SELLER
    assert events[1].auction_scheduled.auction.state == auction_pb2.AUCTION_STATE_SCHEDULED
    assert events[2].auction_updated.auction.title == "A clock"
    assert events[3].auction_started.auction.position.sequence == 4
    assert events[4].auction_paused.auction.state == auction_pb2.AUCTION_STATE_PAUSED
    assert events[5].auction_resumed.auction.state == auction_pb2.AUCTION_STATE_LIVE
    assert events[6].auction_cancelled.reason == "Broken."


def test_a_lot_that_waits_is_announced() -> None:
    auction = auction_of(terms_of(), state=State.DRAFT, sequence=1, starts_at=None, ends_at=None)
    event = opened(auction_event(auction, auction.queue(now=START), ALIASES))
    assert (event.type, event.sequence) == ("auction.queued", 2)
    assert event.auction_queued.auction.state == auction_pb2.AUCTION_STATE_QUEUED


@pytest.mark.parametrize("format_", [SEALED_FIRST_PRICE, SEALED_SECOND_PRICE])
def test_the_event_of_a_paused_sealed_auction_tells_no_amount(format_: Format) -> None:
    auction = auction_of(terms_of(format=format_, opening_minor=1_000))
    place(auction.terms, auction.book, ADA, 98_761)
    place(auction.terms, auction.book, BOB, 54_321)
    shown = opened(auction_event(auction, auction.pause(now=START), ALIASES)).auction_paused
    assert (shown.auction.price.amount_minor, shown.auction.leader_alias) == (1_000, "")


def test_an_event_without_a_form_is_a_fault() -> None:
    with pytest.raises(TypeError, match="AuctionEvent"):
        auction_event(auction_of(terms_of()), AuctionEvent(sequence=1, occurred_at=START), ALIASES)
