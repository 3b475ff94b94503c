"""What a batch publishes, read from the statement that writes it."""

import re

import pytest

from blytz.events.v1.event_pb2 import Event
from fakes.auction_books import ADA, AUCTION_ID, BOB, CYD, bid_of, terms_of
from fakes.benches import bench_of
from svc_auction.application.decide_bids import decide_bids
from svc_auction.domain.bidding import Bid
from svc_auction.domain.formats import SEALED_FIRST_PRICE, SEALED_SECOND_PRICE
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, Terms
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.postgres_bids import PostgresBids

OTHER_ID = AUCTION_ID.replace("a1b2", "a1b3")
TERMS = terms_of()
BUYABLE = terms_of(buy_now=BuyNow(90_00, BuyNowAvailability.UNTIL_REACHED))


def published(*batches: list[Bid], terms: Terms = TERMS) -> list[list[Event]]:
    """Decide batches on the same two auctions, and return what each of them publishes."""
    bench = bench_of({AUCTION_ID: terms, OTHER_ID: terms}, {})
    bids = PostgresBids(aliases=Aliases("a key"))
    events = []
    for batch in batches:
        _, parameters = bids.statement(decide_bids(batch, bench), {})
        payloads = re.findall(r'"\\\\x([0-9a-f]*)"', parameters[-1])
        events.append([Event.FromString(bytes.fromhex(payload)) for payload in payloads])
    return events


def outbid(events: list[Event]) -> list[tuple[str, str, int]]:
    """Return who was told about which auction, at what price."""
    told = [event.bids_outbid for event in events if event.type == "bid.outbid"]
    assert len(told) <= 1
    notices = [notice for event in told for notice in event.notices]
    return [(n.auction_id, n.bidder_id, n.price.amount_minor) for n in notices]


def test_whoever_led_before_the_batch_is_told_once_and_at_its_last_price() -> None:
    _, events = published(
        [bid_of(ADA, 10_00)],
        [bid_of(BOB, 20_00), bid_of(CYD, 30_00), bid_of(BOB, 40_00), bid_of(CYD, 50_00)],
    )
    assert outbid(events) == [(AUCTION_ID, ADA, 41_00)]
    assert [event.sequence for event in events if event.sequence] == [4, 5, 6, 7]


def test_who_has_the_lead_back_at_the_end_of_the_batch_is_told_nothing() -> None:
    _, events = published([bid_of(ADA, 10_00)], [bid_of(BOB, 20_00), bid_of(ADA, 30_00)])
    assert outbid(events) == []


def test_who_led_only_within_the_batch_is_told_nothing() -> None:
    (events,) = published([bid_of(ADA, 10_00), bid_of(BOB, 20_00)])
    assert outbid(events) == []


def test_one_event_has_the_notices_of_all_auctions() -> None:
    _, events = published(
        [bid_of(ADA, 10_00), bid_of(BOB, 10_00, auction_id=OTHER_ID)],
        [bid_of(CYD, 20_00, auction_id=OTHER_ID), bid_of(CYD, 20_00)],
    )
    assert sorted(outbid(events)) == [(AUCTION_ID, ADA, 10_50), (OTHER_ID, BOB, 10_50)]


@pytest.mark.parametrize("format_", [SEALED_FIRST_PRICE, SEALED_SECOND_PRICE])
def test_nobody_is_told_who_leads_a_sealed_auction(format_: Format) -> None:
    _, events = published(
        [bid_of(ADA, 10_00)], [bid_of(BOB, 20_00)], terms=terms_of(format=format_)
    )
    assert [event.type for event in events] == ["bid.placed"]


def test_after_a_purchase_the_end_says_it_all() -> None:
    _, events = published([bid_of(ADA, 10_00)], [bid_of(BOB, 90_00, buys=True)], terms=BUYABLE)
    assert [event.type for event in events] == ["bid.placed", "auction.end"]
    assert events[1].auction_ended.winner_id == BOB
