"""The doctor's second telling of the rules agrees with the service's own, and catches changes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.auction_books import ADA, BOB, CYD, SELLER, START, terms_of
from fakes.bid_logs import PlayedAuction
from stack.doctor.bid_rules import Falling, Record, Retraction, Terms, faults_of
from svc_auction.domain import terms as domain
from svc_auction.domain.events import BidPlaced
from svc_auction.domain.formats import format_of
from svc_auction.domain.increments import DEFAULT_LADDER
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, FallingPrice

LADDER = tuple((step.price_from_minor, step.step_minor) for step in DEFAULT_LADDER.steps)
BIDDERS = (ADA, BOB, CYD, "0190a1b2-0000-7000-8000-0000000000d0")
ASCENDING, DUTCH, SEALED = (1, 2, 3), 4, (5, 6)
FALLING = FallingPrice(1_00, timedelta(seconds=7), 3_00)

wishes = st.lists(
    st.tuples(
        st.sampled_from(["bid"] * 5 + ["buy", "retract", "retract all"]),
        st.sampled_from(BIDDERS),
        st.integers(1, 20_00),
    ),
    max_size=30,
)
reserves = st.none() | st.integers(10, 15_00)
purchases = st.none() | st.tuples(st.integers(15_00, 20_00), st.sampled_from(BuyNowAvailability))


@st.composite
def terms_in_any_format(draw: st.DrawFn) -> domain.Terms:
    number = draw(st.integers(1, 6))
    changes: dict[str, Any] = {"format": format_of(number), "opening_minor": 10}
    if number == DUTCH:
        return terms_of(**changes | {"opening_minor": 12_00, "falling_price": FALLING})
    changes["reserve_minor"] = draw(reserves)
    if number in ASCENDING and (purchase := draw(purchases)) is not None:
        changes["buy_now"] = BuyNow(*purchase)
    return terms_of(**changes)


def told(terms: domain.Terms, played: PlayedAuction) -> Terms:
    """The terms as the doctor reads them from the database."""
    falling, buy_now, book = terms.falling_price, terms.buy_now, played.auction.book
    runs_from = book.starts_at + book.paused_for if book.starts_at else None
    return Terms(
        opening_minor=terms.opening_minor,
        reserve_minor=terms.reserve_minor,
        ladder=LADDER,
        format=terms.format.number,
        buy_now_minor=None if buy_now is None else buy_now.price_minor,
        always_for_sale=buy_now is not None
        and buy_now.availability is BuyNowAvailability.WHOLE_AUCTION,
        falling=None
        if falling is None
        else Falling(falling.drop_minor, falling.every, falling.floor_minor, runs_from),
    )


def played(terms: domain.Terms, moves: list[tuple[str, str, int]]) -> PlayedAuction:
    played = PlayedAuction.of(terms)
    for move, bidder_id, amount_minor in moves:
        if move == "bid":
            played.bid(bidder_id, amount_minor)
        elif move == "buy" and terms.buy_now is not None:
            played.bid(bidder_id, terms.buy_now.price_minor, buys=True)
        else:
            played.retract(bidder_id, latest_only=move == "retract")
    return played


def log_of(played: PlayedAuction) -> list[Record | Retraction]:
    """The log as the doctor reads it from the database."""
    return [
        Record(
            happening.sequence,
            happening.bidder_id,
            happening.maximum_minor,
            happening.price_minor,
            happening.leader_id,
            happening.bid_count,
            won=happening.won,
            placed_at=happening.occurred_at,
        )
        if isinstance(happening, BidPlaced)
        else Retraction(
            happening.sequence,
            happening.bidder_id,
            happening.price_minor,
            happening.leader_id or "",
            happening.sequences,
        )
        for happening in played.happenings
    ]


@settings(max_examples=150)
@given(terms_in_any_format(), wishes)
def test_what_the_service_accepts_follows_the_rules(
    terms: domain.Terms, moves: list[tuple[str, str, int]]
) -> None:
    auction = played(terms, moves)
    assert faults_of(told(terms, auction), log_of(auction)) == []


@settings(max_examples=100)
@given(terms_in_any_format(), wishes, st.data())
def test_a_changed_record_is_noticed(
    terms: domain.Terms, moves: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    auction = played(terms, [("bid", BIDDERS[0], 12_00), *moves])
    records = log_of(auction)
    number = data.draw(st.integers(0, len(records) - 1))
    record = records[number]
    changes: list[dict[str, Any]] = [
        {"price_minor": record.price_minor + 1},
        {"leader_id": SELLER},
    ]
    if isinstance(record, Record):
        changes += [
            {"bid_count": record.bid_count + 1},
            {"maximum_minor": 9},
            {"won": not record.won},
        ]
    else:
        changes += [{"sequences": ()}, {"sequences": (1,)}, {"bidder_id": SELLER}]
    records[number] = replace(record, **data.draw(st.sampled_from(changes)))
    faults = faults_of(told(terms, auction), records)
    assert record.sequence in {sequence for sequence, _ in faults}


@given(terms_in_any_format(), wishes)
def test_nothing_follows_the_bid_that_ended_it(
    terms: domain.Terms, moves: list[tuple[str, str, int]]
) -> None:
    auction = played(terms, moves)
    records = log_of(auction)
    last = next((r for r in records if isinstance(r, Record) and r.won), None)
    if last is None:
        return
    assert last is records[-1]
    late = replace(last, sequence=last.sequence + 1, won=False)
    faults = faults_of(told(terms, auction), [*records, late])
    assert (late.sequence, "it comes after the bid that ended the auction") in faults


def test_the_vectors_of_the_rules() -> None:
    """20 against 9 makes 9.50; then 20.01 leads at 20.01. 150 at 127.50: 130, then 200."""
    terms = Terms(opening_minor=100, reserve_minor=None, ladder=LADDER)
    first = [
        Record(3, "ann", 20_00, 1_00, "ann", 1),
        Record(4, "ben", 9_00, 9_50, "ann", 2),
        Record(5, "cleo", 20_01, 20_01, "cleo", 3),
    ]
    assert faults_of(terms, first) == []
    second = [
        Record(3, "ann", 150_00, 1_00, "ann", 1),
        Record(4, "ben", 125_00, 127_50, "ann", 2),
        Record(5, "cleo", 130_00, 132_50, "ann", 3),
        Record(6, "dora", 200_00, 152_50, "dora", 4),
    ]
    assert faults_of(terms, second) == []


@pytest.mark.parametrize(("format_number", "price_minor"), [(5, 20_00), (6, 9_00)])
def test_sealed_bids(format_number: int, price_minor: int) -> None:
    """The highest pays their own maximum, or the second-highest; equal ones: the earlier."""
    terms = Terms(100, None, LADDER, format=format_number)
    first_minor = 9_00 if format_number == 5 else 1_00
    log = [
        Record(3, "ann", 9_00, first_minor, "ann", 1),
        Record(4, "ben", 20_00, price_minor, "ben", 2),
        Record(5, "cleo", 1_00, price_minor, "ben", 3),
    ]
    assert faults_of(terms, log) == []
    tied = Record(6, "ann", 20_00, 20_00, "ben", 4)
    assert faults_of(terms, [*log, tied]) == []
    assert faults_of(terms, [*log, replace(tied, leader_id="ann")])
    lowered = Record(6, "cleo", 1_00, price_minor, "ben", 4)
    assert faults_of(terms, [*log, lowered]) == [(6, "the bidder did not raise their maximum")]


def test_a_falling_price() -> None:
    """From 50.00 by 5.00 every 10 seconds, not below 20.00."""
    falling = Falling(5_00, timedelta(seconds=10), 20_00, START)
    terms = Terms(50_00, None, LADDER, format=DUTCH, falling=falling)
    for seconds, price_minor in ((0, 50_00), (9.9, 50_00), (10, 45_00), (29, 40_00), (900, 20_00)):
        at = START + timedelta(seconds=seconds)
        taken = Record(3, "ann", 60_00, price_minor, "ann", 1, won=True, placed_at=at)
        assert faults_of(terms, [taken]) == []
        assert faults_of(terms, [replace(taken, price_minor=price_minor - 1)])
        assert faults_of(terms, [replace(taken, maximum_minor=price_minor - 1)])
        assert faults_of(terms, [replace(taken, won=False)])


def test_a_purchase_is_at_its_price_while_it_is_offered() -> None:
    terms = Terms(1_00, None, LADDER, buy_now_minor=15_00)
    bought = Record(4, "ben", 15_00, 15_00, "ben", 2, won=True)
    assert faults_of(terms, [Record(3, "ann", 9_00, 1_00, "ann", 1), bought]) == []
    above = replace(bought, maximum_minor=15_01)
    assert faults_of(terms, [Record(3, "ann", 9_00, 1_00, "ann", 1), above])
    for_all = replace(terms, always_for_sale=True)
    assert faults_of(for_all, [Record(3, "ann", 9_00, 1_00, "ann", 1), above]) == []
    assert faults_of(for_all, [Record(3, "ann", 15_00, 1_00, "ann", 1)])
    reached = [
        Record(3, "ann", 20_00, 1_00, "ann", 1),
        Record(4, "cleo", 18_00, 18_50, "ann", 2),
        replace(bought, sequence=5, bid_count=3),
    ]
    assert faults_of(terms, reached) == [(5, "the price had reached the buy-now price")]
    assert faults_of(replace(terms, buy_now_minor=None), [replace(bought, bid_count=1)])
