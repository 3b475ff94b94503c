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
    place,
    soft_close,
    terms_of,
)
from servicekit.events.outbox import OutboxEvent
from svc_auction.domain.auction import State
from svc_auction.domain.events import AuctionCreated, AuctionEvent
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.event_mapping import (
    auction_event,
    bid_placed_event,
    extended_event,
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
    _, extended = place(auction.terms, auction.book, ADA, 100, now=now)
    assert extended is not None
    event = opened(extended_event(auction_id=AUCTION_ID, epoch=1, event=extended))
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


def test_every_change_of_state_has_its_event() -> None:
    auction = auction_of(terms_of(), state=State.DRAFT, sequence=1)
    created = AuctionCreated(sequence=1, occurred_at=START)
    events = [opened(auction_event(auction, created, ALIASES))]
    changes: list[Callable[[], AuctionEvent]] = [
        lambda: auction.schedule(now=START, starts_at=START, ends_at=END),
        lambda: auction.start_on_schedule(now=START),
        lambda: auction.cancel(now=START, reason="Broken.", by_moderator=False),
    ]
    events += [opened(auction_event(auction, change(), ALIASES)) for change in changes]
    assert [event.type for event in events] == [
        "auction.created",
        "auction.scheduled",
        "auction.started",
        "auction.cancelled",
    ]
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert events[0].auction_created.seller_id == SELLER
    assert events[1].auction_scheduled.auction.state == auction_pb2.AUCTION_STATE_SCHEDULED
    assert events[2].auction_started.auction.position.sequence == 3
    assert events[3].auction_cancelled.reason == "Broken."


def test_an_event_without_a_form_is_a_fault() -> None:
    with pytest.raises(TypeError, match="AuctionEvent"):
        auction_event(auction_of(terms_of()), AuctionEvent(sequence=1, occurred_at=START), ALIASES)
