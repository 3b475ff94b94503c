"""The verification of a bid log: silent about every log that the rules write, and no other."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.auction_books import ADA, BOB, CYD, END, START, terms_of
from fakes.bid_logs import PlayedAuction
from svc_auction.domain.book import Outcome
from svc_auction.domain.formats import (
    DUTCH,
    LIVE_LOT,
    SEALED_FIRST_PRICE,
    SEALED_SECOND_PRICE,
    SUDDEN_DEATH,
)
from svc_auction.domain.increments import LIVE_LADDER
from svc_auction.domain.log_records import LoggedBid, LoggedRetraction, LogRecord
from svc_auction.domain.log_verification import STEP_BIDS, LogVerification
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, FallingPrice, Terms

PEOPLE = (ADA, BOB, CYD)
STRANGER = "0190a1b2-0000-7000-8000-00000000000f"
FALLING = FallingPrice(5_00, timedelta(seconds=10), 20_00)
TERMS = {
    "english": terms_of(opening_minor=10),
    "with a reserve": terms_of(opening_minor=10, reserve_minor=5_00),
    "live lot": terms_of(format=LIVE_LOT, ladder=LIVE_LADDER, opening_minor=1_00),
    "sudden death": terms_of(format=SUDDEN_DEATH),
    "bought at once": terms_of(buy_now=BuyNow(9_00, BuyNowAvailability.WHOLE_AUCTION)),
    "bought until reached": terms_of(buy_now=BuyNow(9_00, BuyNowAvailability.UNTIL_REACHED)),
    "dutch": terms_of(format=DUTCH, opening_minor=50_00, falling_price=FALLING),
    "first price": terms_of(format=SEALED_FIRST_PRICE, opening_minor=10),
    "second price": terms_of(format=SEALED_SECOND_PRICE, opening_minor=10, reserve_minor=3_00),
}


moves = st.lists(
    st.tuples(
        st.sampled_from(["bid", "bid", "bid", "bid", "buy", "retract", "retract all"]),
        st.sampled_from(PEOPLE),
        st.integers(1, 10_00),
    ),
    max_size=25,
)


def played(terms: Terms, wishes: list[tuple[str, str, int]]) -> PlayedAuction:
    played = PlayedAuction.of(terms)
    for move, bidder_id, amount_minor in wishes:
        if move == "bid":
            played.bid(bidder_id, amount_minor * (10 if terms.format is DUTCH else 1))
        elif move == "buy" and terms.buy_now is not None:
            played.bid(bidder_id, terms.buy_now.price_minor, buys=True)
        else:
            played.retract(bidder_id, latest_only=move == "retract")
    return played


def english() -> PlayedAuction:
    """Ada leads at 9.50, Cyd takes the lead, Bob takes his bid back, Ada bids again."""
    auction = PlayedAuction.of(terms_of())
    assert auction.bid(ADA, 20_00)
    assert auction.bid(BOB, 9_00)
    assert auction.bid(CYD, 30_00)
    assert auction.retract(BOB)
    assert auction.bid(ADA, 25_00)
    return auction


@pytest.mark.parametrize("name", TERMS)
@settings(max_examples=60)
@given(wishes=moves)
def test_what_the_rules_write_is_valid(name: str, wishes: list[tuple[str, str, int]]) -> None:
    auction = played(TERMS[name], wishes)
    finding, book = auction.finding(), auction.auction.book
    assert finding.fault == ""
    assert (finding.valid, finding.first_fault_sequence) == (True, 0)
    assert finding.record_count == len(auction.happenings)
    assert (finding.head, finding.price_minor, finding.leader_id) == (
        book.log_head,
        book.price_minor,
        book.leader_id,
    )
    assert auction.price_without(STRANGER) == book.price_minor


@pytest.mark.parametrize("name", ["english", "with a reserve", "first price", "second price"])
@settings(max_examples=60)
@given(wishes=moves)
def test_the_price_without_a_bidder_is_what_the_others_come_to(
    name: str, wishes: list[tuple[str, str, int]]
) -> None:
    """Replay the bids that stand with nobody refused: a bid below the price changes nothing."""
    auction = played(TERMS[name], [wish for wish in wishes if wish[0] != "buy"])
    for left_out in PEOPLE:
        others = PlayedAuction.of(TERMS[name])
        terms, book = others.auction.terms, others.auction.book
        for bid in auction.standing:
            if bid.bidder_id != left_out:
                terms.format.enter(terms, book, bid.bidder_id, bid.maximum_minor, START)
        assert auction.price_without(left_out) == book.price_minor


def test_a_shill_is_told_by_the_price_without_them() -> None:
    auction = PlayedAuction.of(terms_of())
    auction.bid(ADA, 20_00)
    auction.bid(CYD, 5_00)
    auction.bid(BOB, 19_00)
    assert auction.auction.book.price_minor == 19_50
    assert auction.price_without(BOB) == 5_50
    assert auction.price_without(CYD) == 19_50
    assert auction.price_without(ADA) == 5_50


def test_a_purchase_stays_what_it_was_without_anybody_but_the_buyer() -> None:
    auction = PlayedAuction.of(TERMS["bought at once"])
    auction.bid(ADA, 2_00)
    auction.bid(BOB, 1_00)
    auction.bid(CYD, 9_00, buys=True)
    assert auction.auction.book.outcome is Outcome.BOUGHT_NOW
    assert auction.price_without(ADA) == 9_00
    assert auction.price_without(CYD) == 1_25


def test_the_price_of_a_dutch_auction_falls_on_without_its_winner() -> None:
    auction = PlayedAuction.of(TERMS["dutch"])
    auction.now = START + timedelta(seconds=25)
    assert auction.bid(ADA, 45_00)
    assert auction.auction.book.price_minor == 40_00
    assert auction.price_without(BOB) == 40_00
    assert auction.price_without(ADA) == 20_00, "the floor, long before the announced end"


Tampering = Callable[[list[LogRecord]], list[LogRecord]]


def change(place: int, **fields: Any) -> Tampering:
    return lambda log: [*log[:place], log[place]._replace(**fields), *log[place + 1 :]]


@pytest.mark.parametrize(
    ("tamper", "faulty", "words"),
    [
        (change(1, maximum_minor=9_01), 1, "hash"),
        (change(1, bidder_id=CYD), 1, "hash"),
        (change(1, placed_at=END), 1, "hash"),
        (change(1, record_hash=bytes(32)), 1, "hash"),
        (change(3, retracted_at=END), 3, "hash"),
        (change(3, price_minor=21_00), 3, "hash"),
        (change(1, leader_id=CYD), 1, "leader"),
        (change(3, leader_id=ADA), 3, "leader"),
        (change(4, bid_count=4), 4, "count"),
        (change(2, won=True), 2, "could not be bought"),
        (change(1, retracted=False), 1, "taken back"),
        (change(0, retracted=True), 0, "taken back"),
        (change(0, sequence=-3), 0, "number"),
        (change(4, sequence=99), 4, "number"),
        (change(3, sequences=(-1,)), 3, "hash"),
        (lambda log: [*log[:1], *log[2:]], 1, "hash"),
        (lambda log: [log[1], log[0], *log[2:]], 0, "hash"),
    ],
)
def test_a_changed_log_is_noticed_where_it_was_changed(
    tamper: Tampering, faulty: int, words: str
) -> None:
    auction = english()
    changed = tamper(auction.records())
    finding = auction.finding(changed)
    assert not finding.valid
    assert (finding.first_fault_sequence, words in finding.fault) == (
        changed[faulty].sequence,
        True,
    ), finding.fault
    assert not any(letter.isdigit() for letter in finding.fault)


def rechained(auction: PlayedAuction, log: list[LogRecord]) -> list[LogRecord]:
    """Give every record the hash that it needs: a forger who knows the rules of the chain."""
    head = b""
    for place, record in enumerate(log):
        head = record.hash_after(head, auction.auction.book.auction_id)
        log[place] = record._replace(record_hash=head)
    auction.auction.book.log_head = head
    return log


@pytest.mark.parametrize(
    ("tamper", "faulty", "words"),
    [
        (change(1, price_minor=9_51), 1, "price"),
        (change(3, price_minor=9_50), 3, "price"),
        (change(1, maximum_minor=4), 1, "below the least"),
        (change(4, bidder_id=CYD), 4, "raise"),
        (change(3, bidder_id=CYD), 3, "standing bid"),
        (change(3, sequences=(3, 4)), 3, "standing bid"),
        (change(3, sequences=()), 3, "standing bid"),
        (lambda log: [*log[:1], *log[2:]], 1, "missing"),
    ],
)
def test_a_log_chained_anew_is_still_held_against_the_rules(
    tamper: Tampering, faulty: int, words: str
) -> None:
    auction = english()
    changed = rechained(auction, tamper(auction.records()))
    finding = auction.finding(changed)
    assert finding.first_fault_sequence == changed[faulty].sequence
    assert words in finding.fault


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("price_minor", 1, "another price"),
        ("leader_id", BOB, "another leader"),
        ("leader_maximum_minor", 99_00, "another leading maximum"),
        ("bid_count", 9, "another number of bids"),
        ("log_head", b"", "another last hash"),
        ("outcome", Outcome.SOLD, "another outcome"),
    ],
)
def test_a_book_that_says_otherwise_is_noticed(field: str, value: object, words: str) -> None:
    auction = english()
    setattr(auction.auction.book, field, value)
    finding = auction.finding()
    assert (finding.valid, finding.first_fault_sequence) == (False, 0)
    assert words in finding.fault


def test_a_log_whose_end_was_cut_off_is_noticed() -> None:
    auction = english()
    finding = auction.finding(auction.records()[:-1])
    assert (finding.valid, finding.record_count) == (False, 4)
    assert "last hash" in finding.fault


def test_nothing_follows_a_purchase() -> None:
    auction = PlayedAuction.of(TERMS["bought at once"])
    auction.bid(CYD, 9_00, buys=True)
    bid = auction.records()[0]
    assert isinstance(bid, LoggedBid)
    finding = auction.finding(rechained(auction, [bid, bid._replace(sequence=4)]))
    assert "after the bid that ended" in finding.fault


def test_a_dutch_auction_takes_one_bid() -> None:
    auction = PlayedAuction.of(TERMS["dutch"])
    auction.bid(CYD, 50_00)
    assert auction.finding().valid
    assert "first bid ends" in auction.finding(change(0, won=False)(auction.records())).fault


def test_the_head_is_recomputed_and_not_believed() -> None:
    auction = english()
    honest = auction.finding().head
    log = change(1, record_hash=bytes(32))(auction.records())
    assert auction.finding(log).head == honest
    assert auction.finding(change(1, maximum_minor=9_01)(auction.records())).head != honest


def test_a_recount_of_many_bids_pauses() -> None:
    auction = PlayedAuction.of(terms_of(opening_minor=1))
    for number in range(1, STEP_BIDS + 10):
        assert auction.bid((ADA, BOB)[number % 2], 100_00 * number)
    verification = auction.verification()
    assert len(list(verification.price_without(CYD))) == 1
    retraction = LoggedRetraction(
        2_000, STRANGER, ADA, 0, ADA, START, b"", (auction.standing[0].sequence,), b""
    )
    follower = LogVerification(auction.auction.terms, auction.auction.book)
    for record in auction.records():
        assert isinstance(record, LoggedBid)
        follower.follow_bid(record)
    assert len(list(follower.follow_retraction(retraction))) == 1
