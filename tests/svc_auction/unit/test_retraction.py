"""Which bids may be taken back, and that what stays comes to what it would on its own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.auction_books import ADA, BOB, CYD, END, SELLER, START, auction_of, bid_of, terms_of
from fakes.english_reference import DEFAULT_STEPS, Accepted, EnglishReference
from kernel.errors import BlytzError
from kernel.ids import new_id
from svc_auction.domain.auction import Auction
from svc_auction.domain.bid_log import retraction_hash
from svc_auction.domain.bidding import accept_bid
from svc_auction.domain.book import Outcome, State
from svc_auction.domain.errors import RetractionNotAllowed
from svc_auction.domain.events import BidPlaced
from svc_auction.domain.formats import (
    ENGLISH,
    LIVE_LOT,
    SEALED_FIRST_PRICE,
    SEALED_SECOND_PRICE,
    SUDDEN_DEATH,
)
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.retraction import Reason, Wish, bids_to_retract, lapses, recount, retract
from svc_auction.domain.terms import Funding

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FORMATS = [ENGLISH, LIVE_LOT, SUDDEN_DEATH, SEALED_FIRST_PRICE, SEALED_SECOND_PRICE]


def bids_on(auction: Auction, *bids: tuple[str, int], at: timedelta = SECOND) -> list[BidPlaced]:
    """Enter bids, one after another, the first ``at`` after the start."""
    return [
        accept_bid(
            auction.terms, auction.book, bid_of(bidder_id, minor), START + at + number * SECOND
        )[0]
        for number, (bidder_id, minor) in enumerate(bids)
    ]


def wish_for(bid: BidPlaced, *, reason: Reason = Reason.TYPING_ERROR, by: str = "") -> Wish:
    return Wish(new_id(), "", by or bid.bidder_id, bid.bid_id, reason)


def long_auction(**changes: Any) -> Auction:
    return auction_of(terms_of(opening_minor=100), **{"ends_at": START + 48 * HOUR, **changes})


def sequences(bids: Sequence[BidPlaced]) -> list[int]:
    return [bid.sequence for bid in bids]


@pytest.mark.parametrize(("left", "count"), [(12 * HOUR, 2), (12 * HOUR - SECOND, 1)])
def test_with_twelve_hours_left_all_bids_go_and_later_only_the_latest(
    left: timedelta, count: int
) -> None:
    auction = long_auction(ends_at=START + HOUR + left)
    standing = bids_on(auction, (ADA, 500), (BOB, 600), (ADA, 900), at=HOUR - 3 * SECOND)
    gone = bids_to_retract(auction, standing, wish_for(standing[2]), START + HOUR)
    assert sequences(gone) == [3, 5][-count:]


def test_with_twelve_hours_left_any_of_ones_bids_may_be_named() -> None:
    auction = long_auction()
    standing = bids_on(auction, (ADA, 500), (BOB, 600), (ADA, 900))
    assert sequences(bids_to_retract(auction, standing, wish_for(standing[0]), START + HOUR)) == [
        3,
        5,
    ]


def test_later_an_earlier_bid_stays() -> None:
    auction = auction_of(terms_of())
    standing = bids_on(auction, (ADA, 500), (BOB, 600), (ADA, 900))
    with pytest.raises(RetractionNotAllowed, match="only the latest"):
        bids_to_retract(auction, standing, wish_for(standing[0]), START + 4 * SECOND)


@pytest.mark.parametrize(("after", "allowed"), [(HOUR, True), (HOUR + SECOND, False)])
def test_later_a_bid_goes_within_an_hour(after: timedelta, *, allowed: bool) -> None:
    auction = long_auction(ends_at=START + 10 * HOUR)
    (bid,) = bids_on(auction, (ADA, 500))
    now = bid.occurred_at + after
    if allowed:
        assert bids_to_retract(auction, [bid], wish_for(bid), now) == [bid]
    else:
        with pytest.raises(RetractionNotAllowed, match="more than an hour ago"):
            bids_to_retract(auction, [bid], wish_for(bid), now)


def test_the_clock_of_a_paused_auction_stands_still() -> None:
    paused_at = START + HOUR
    auction = long_auction(state=State.PAUSED, paused_at=paused_at, ends_at=paused_at + 12 * HOUR)
    standing = bids_on(auction, (ADA, 500), (BOB, 600), (ADA, 900))
    assert len(bids_to_retract(auction, standing, wish_for(standing[2]), START + 40 * HOUR)) == 2


def test_a_lot_that_waits_has_all_the_time() -> None:
    auction = auction_of(terms_of(), state=State.QUEUED, starts_at=None, ends_at=None)
    standing = bids_on(auction, (ADA, 500), (BOB, 600), (ADA, 900))
    now = START + timedelta(days=90)
    assert len(bids_to_retract(auction, standing, wish_for(standing[2]), now)) == 2


@pytest.mark.parametrize(("changed_after", "allowed"), [(None, False), (0, False), (1, True)])
def test_a_changed_description_is_one_that_changed_after_the_bid(
    changed_after: int | None, *, allowed: bool
) -> None:
    auction = long_auction()
    (bid,) = bids_on(auction, (ADA, 500))
    if changed_after is not None:
        changed_at = bid.occurred_at + changed_after * SECOND
        auction.listing = replace(auction.listing, description_changed_at=changed_at)
    wish = wish_for(bid, reason=Reason.DESCRIPTION_CHANGED)
    if allowed:
        assert bids_to_retract(auction, [bid], wish, START + HOUR) == [bid]
    else:
        with pytest.raises(RetractionNotAllowed, match="description has not changed"):
            bids_to_retract(auction, [bid], wish, START + HOUR)


def test_only_ones_own_standing_bids_are_found() -> None:
    auction = long_auction()
    ada, bob = bids_on(auction, (ADA, 500), (BOB, 600))
    for wish in (wish_for(ada, by=BOB), wish_for(replace(bob, bid_id=new_id()))):
        assert refusal(auction, [ada, bob], wish) == "BID_NOT_FOUND"
    assert refusal(auction, [bob], wish_for(ada)) == "BID_NOT_FOUND"


@pytest.mark.parametrize(
    ("changes", "bidder_id", "reason"),
    [
        ({"state": State.ENDED, "outcome": Outcome.SOLD}, ADA, "AUCTION_ENDED"),
        ({"ends_at": START + HOUR}, ADA, "AUCTION_ENDED"),
        ({"state": State.SCHEDULED}, ADA, "AUCTION_NOT_LIVE"),
        ({"state": State.CANCELLED}, ADA, "AUCTION_NOT_LIVE"),
        ({"state": State.DRAFT}, SELLER, "AUCTION_NOT_LIVE"),
        ({"state": State.DRAFT}, ADA, "AUCTION_NOT_FOUND"),
    ],
)
def test_nothing_is_taken_back_from_an_auction_that_is_not_open(
    changes: dict[str, Any], bidder_id: str, reason: str
) -> None:
    auction = long_auction()
    (bid,) = bids_on(auction, (bidder_id, 500))
    auction.book = replace(auction.book, **changes)
    assert refusal(auction, [bid], wish_for(bid)) == reason


def refusal(auction: Auction, standing: Sequence[BidPlaced], wish: Wish) -> str:
    with pytest.raises(BlytzError) as refused:
        bids_to_retract(auction, standing, wish, START + HOUR)
    return refused.value.reason


def test_a_retraction_recomputes_price_leader_hold_and_count_and_is_logged() -> None:
    auction = long_auction()
    auction.terms = replace(auction.terms, funding=Funding.WALLET_HOLD)
    standing = bids_on(auction, (ADA, 50_00), (BOB, 20_00), (CYD, 90_00), (ADA, 70_00))
    book, head = auction.book, auction.book.log_head
    request_id, now = new_id(), START + HOUR
    gone = [standing[2]]
    event = retract(
        auction, standing, gone, request_id=request_id, reason=Reason.TYPING_ERROR, now=now
    )
    assert (book.leader_id, book.leader_maximum_minor, book.held_minor) == (ADA, 70_00, 70_00)
    assert (book.price_minor, book.bid_count, book.sequence) == (20_50, 3, event.sequence)
    assert (event.sequence, event.price_minor, event.leader_id) == (7, 20_50, ADA)
    assert (event.bid_ids, event.sequences) == ((standing[2].bid_id,), (5,))
    assert event.record_hash == book.log_head
    assert book.log_head == retraction_hash(
        previous=head,
        auction_id=book.auction_id,
        sequence=7,
        retraction_id=event.retraction_id,
        bidder_id=CYD,
        price_minor=20_50,
        retracted_at=now,
        sequences=[5],
        salt=event.salt,
    )


def test_without_any_bid_the_auction_is_as_it_was_opened() -> None:
    auction = long_auction()
    standing = bids_on(auction, (ADA, 500))
    event = retract(
        auction, standing, standing, request_id=new_id(), reason=Reason.TYPING_ERROR, now=END
    )
    assert (event.leader_id, event.price_minor, auction.book.bid_count) == (None, 100, 0)


def test_an_end_that_late_bids_moved_stays_there() -> None:
    auction = long_auction(extension_count=2)
    standing = bids_on(auction, (ADA, 500))
    before = auction.book.ends_at
    retract(auction, standing, standing, request_id=new_id(), reason=Reason.TYPING_ERROR, now=END)
    assert (auction.book.ends_at, auction.book.extension_count) == (before, 2)


def test_heir_after_heir_lapses_until_one_may_lead() -> None:
    auction = long_auction()
    standing = bids_on(auction, (CYD, 10_00), (ADA, 20_00), (ADA, 30_00), (BOB, 40_00))
    before = replace(auction.book)
    asked: list[tuple[str, int]] = []

    def may_lead(bidder_id: str, maximum_minor: int) -> bool:
        asked.append((bidder_id, maximum_minor))
        return bidder_id == CYD

    lapsed, leader_id = lapses(auction, standing, standing[-1:], may_lead)
    assert asked == [(ADA, 30_00), (CYD, 10_00)]
    assert ([sequences(bids) for bids in lapsed], leader_id) == ([[4, 5]], CYD)
    assert auction.book == before
    nobody, leader_id = lapses(auction, standing, standing[-1:], lambda *_: False)
    assert (len(nobody), leader_id) == (2, None)


bid_lists = st.lists(
    st.tuples(st.sampled_from([ADA, BOB, CYD]), st.integers(1, 300), st.booleans()), max_size=14
)


@given(bid_lists, st.sampled_from(FORMATS), st.sampled_from([None, 80_00]))
def test_what_stays_comes_to_what_it_would_on_its_own(
    wishes: list[tuple[str, int, bool]], format_: Format, reserve_minor: int | None
) -> None:
    """Any bids may go; maxima are whole units, so that ties and steps meet often."""
    terms = terms_of(
        format=format_, ladder=ENGLISH.ladder, opening_minor=1_00, reserve_minor=reserve_minor
    )
    auction = auction_of(terms)
    book, own_minor = auction.book, dict[str, int]()
    placed: list[tuple[BidPlaced, bool]] = []
    for bidder_id, units, stays in wishes:
        maximum_minor = units * 1_00
        asking_minor = terms.format.asking_minor(terms, book, START)
        if maximum_minor < asking_minor or maximum_minor <= own_minor.get(bidder_id, 0):
            continue
        own_minor[bidder_id] = maximum_minor
        placed.append((bids_on(auction, (bidder_id, maximum_minor))[0], stays))
    standing = [bid for bid, stays in placed if stays]
    recount(terms, book, standing)
    expected = sealed_result if format_.sealed else ascending_result
    assert (book.leader_id, book.leader_maximum_minor, book.price_minor) == expected(
        format_, standing, reserve_minor
    )
    assert book.bid_count == len(standing)
    recount(terms, book, [bid for bid, _ in placed])
    last = placed[-1][0] if placed else None
    assert last is None or (book.price_minor, book.leader_id) == (last.price_minor, last.leader_id)


Result = tuple[str | None, int, int]


def ascending_result(_: Format, standing: Sequence[BidPlaced], reserve_minor: int | None) -> Result:
    reference = EnglishReference(
        seller_id=SELLER,
        currency_code="USD",
        opening_minor=1_00,
        reserve_minor=reserve_minor,
        steps=DEFAULT_STEPS,
        ends_at_first=END,
        extend_within=None,
        extend_by=SECOND,
        extensions_max=0,
        accepted=[Accepted(b.bidder_id, b.maximum_minor, b.occurred_at) for b in standing],
    )
    leader = reference.leader()
    if leader is None:
        return None, 0, 1_00
    return leader.bidder_id, leader.maximum_minor, reference.price_minor()


def sealed_result(
    format_: Format, standing: Sequence[BidPlaced], reserve_minor: int | None
) -> Result:
    """Sort the bidders by their highest maxima, the earlier of equal ones first."""
    highest: dict[str, tuple[int, int, str]] = {}
    for order, bid in enumerate(standing):
        entry = (-bid.maximum_minor, order, bid.bidder_id)
        highest[bid.bidder_id] = min(highest.get(bid.bidder_id, entry), entry)
    ranked = sorted(highest.values())
    if not ranked:
        return None, 0, 1_00
    first_minor = -ranked[0][0]
    if format_ is SEALED_FIRST_PRICE:
        return ranked[0][2], first_minor, first_minor
    price_minor = max([1_00, *(-entry[0] for entry in ranked[1:2])])
    if reserve_minor is not None and first_minor >= reserve_minor:
        price_minor = max(price_minor, reserve_minor)
    return ranked[0][2], first_minor, price_minor
