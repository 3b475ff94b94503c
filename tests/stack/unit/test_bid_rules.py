"""The doctor's second telling of the rules agrees with the service's own, and catches changes."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import BlytzError
from kernel.ids import new_id
from stack.doctor.bid_rules import Record, Terms, faults_of
from svc_auction.domain import auction as domain
from svc_auction.domain.bidding import Bid, accept_bid, check_bid
from svc_auction.domain.increments import DEFAULT_LADDER

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LADDER = tuple((step.price_from_minor, step.step_minor) for step in DEFAULT_LADDER.steps)
BIDDERS = tuple(new_id() for _ in range(4))
SELLER = new_id()

bids = st.lists(st.tuples(st.sampled_from(BIDDERS), st.integers(1, 2_000)), max_size=40)
reserves = st.none() | st.integers(10, 1_500)


def played(reserve_minor: int | None, wishes: list[tuple[str, int]]) -> list[Record]:
    """The log that svc_auction writes of those wishes that it accepts."""
    terms = domain.Terms(
        seller_id=SELLER,
        currency_code="USD",
        opening_minor=10,
        reserve_minor=reserve_minor,
        ladder=DEFAULT_LADDER,
        soft_close=None,
        funding=domain.Funding.OPEN,
    )
    book = domain.Book(
        auction_id=new_id(),
        state=domain.State.LIVE,
        outcome=None,
        epoch=1,
        sequence=2,
        price_minor=10,
        leader_id=None,
        leader_maximum_minor=0,
        held_minor=0,
        bid_count=0,
        extension_count=0,
        starts_at=NOW,
        ends_at=None,
        log_head=b"",
    )
    records = []
    for bidder_id, maximum_minor in wishes:
        bid = Bid(new_id(), book.auction_id, bidder_id, "USD", maximum_minor)
        try:
            check_bid(terms, book, bid, NOW)
        except BlytzError:
            continue
        event, _ = accept_bid(terms, book, bid, NOW)
        records.append(
            Record(
                sequence=event.sequence,
                bidder_id=bidder_id,
                maximum_minor=maximum_minor,
                price_minor=event.price_minor,
                leader_id=event.leader_id,
                bid_count=event.bid_count,
            )
        )
    return records


@given(reserves, bids)
def test_what_the_service_accepts_follows_the_rules(
    reserve_minor: int | None, wishes: list[tuple[str, int]]
) -> None:
    terms = Terms(opening_minor=10, reserve_minor=reserve_minor, ladder=LADDER)
    assert faults_of(terms, played(reserve_minor, wishes)) == []


@given(reserves, bids.filter(bool), st.data())
def test_a_changed_record_is_noticed(
    reserve_minor: int | None, wishes: list[tuple[str, int]], data: st.DataObject
) -> None:
    records = played(reserve_minor, [(BIDDERS[0], 10), *wishes])
    number = data.draw(st.integers(0, len(records) - 1))
    record = records[number]
    change = data.draw(
        st.sampled_from(
            [
                {"price_minor": record.price_minor + 1},
                {"leader_id": SELLER},
                {"bid_count": record.bid_count + 1},
                {"maximum_minor": 9},
            ]
        )
    )
    records[number] = replace(record, **change)  # type: ignore[arg-type]
    terms = Terms(opening_minor=10, reserve_minor=reserve_minor, ladder=LADDER)
    assert record.sequence in {sequence for sequence, _ in faults_of(terms, records)}


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
