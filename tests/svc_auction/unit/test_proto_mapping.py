from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1 import auction_pb2
from blytz.common.v1.money_pb2 import Money
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
    terms_of,
)
from kernel.ids import new_id
from svc_auction.application.ports import PlacedBid
from svc_auction.application.read_auctions import OwnStanding
from svc_auction.domain.auction import Auction
from svc_auction.domain.book import State
from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.formats import DUTCH, SEALED_FIRST_PRICE, SEALED_SECOND_PRICE
from svc_auction.domain.formats.shape import Format
from svc_auction.domain.terms import BuyNow, BuyNowAvailability, FallingPrice
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.proto_mapping import (
    auction_message,
    bid_message,
    buy_now_response,
    own_standing_message,
    place_bid_response,
    reserve_status,
    to_datetime,
    to_timestamp,
)

ALIASES = Aliases("a key")


def usd(amount_minor: int) -> Money:
    return Money(currency_code="USD", amount_minor=amount_minor)


@pytest.mark.parametrize(
    "at", [START, START + timedelta(microseconds=1), datetime(1969, 12, 31, 23, 59, 59, 5, UTC)]
)
def test_times_are_exact_to_the_microsecond(at: datetime) -> None:
    assert to_datetime(to_timestamp(at)) == at


@pytest.mark.parametrize("seconds", [-(10**12), 10**12])
def test_a_time_outside_the_calendar_is_refused(seconds: int) -> None:
    with pytest.raises(TermsInvalid):
        to_datetime(Timestamp(seconds=seconds))


def test_the_reserve_shows_only_whether_it_is_met() -> None:
    assert reserve_status(terms_of(), 0) == auction_pb2.RESERVE_STATUS_NONE
    terms = terms_of(reserve_minor=500)
    assert reserve_status(terms, 499) == auction_pb2.RESERVE_STATUS_NOT_MET
    assert reserve_status(terms, 500) == auction_pb2.RESERVE_STATUS_MET


def test_an_auction_shows_price_and_leader_but_no_maximum() -> None:
    auction = auction_of(terms_of(reserve_minor=123_457))
    place(auction.terms, auction.book, ADA, 98_761)
    place(auction.terms, auction.book, BOB, 5_000)
    message = auction_message(auction, ALIASES)
    assert message.price == Money(currency_code="USD", amount_minor=5_100)
    assert message.minimum_next_bid.amount_minor == 5_200
    assert message.leader_alias == ALIASES.of(AUCTION_ID, ADA)
    assert (message.bid_count, message.position.sequence) == (2, 4)
    assert (to_datetime(message.starts_at), to_datetime(message.ends_at)) == (START, END)
    shown = str(message)
    assert ADA not in shown
    assert not any(hidden in shown for hidden in ("98761", "123457"))


def test_a_draft_has_no_times() -> None:
    message = auction_message(auction_of(terms_of(), state=State.DRAFT), ALIASES)
    assert not message.HasField("starts_at")
    assert not message.HasField("ends_at")
    assert message.outcome == auction_pb2.AUCTION_OUTCOME_UNSPECIFIED


def test_a_losing_bids_answer_tells_that_it_lost_and_no_more() -> None:
    auction = auction_of(terms_of())
    place(auction.terms, auction.book, ADA, 98_761)
    event, _ = place(auction.terms, auction.book, BOB, 5_000)
    answer = place_bid_response(PlacedBid(AUCTION_ID, 1, auction.terms, event), ALIASES)
    assert (answer.leading, answer.price.amount_minor) == (False, 5_100)
    assert answer.minimum_next_bid.amount_minor == 5_200
    assert answer.bid.bidder_alias == ALIASES.of(AUCTION_ID, BOB)
    assert answer.bid.record_hash == auction.book.log_head
    assert "98761" not in str(answer)


def test_a_bidder_sees_their_own_standing() -> None:
    auction = auction_of(terms_of())
    own = own_standing_message(OwnStanding(ADA, leading=True, maximum_minor=7), auction, ALIASES)
    assert (own.alias, own.leading) == (ALIASES.of(AUCTION_ID, ADA), True)
    assert own.maximum == Money(currency_code="USD", amount_minor=7)


SEALED = [SEALED_FIRST_PRICE, SEALED_SECOND_PRICE]
EVERYBODY = [None, SELLER, ADA, BOB]


def sealed_auction(format_: Format, *maxima_minor: int, state: State = State.LIVE) -> Auction:
    """Return a sealed auction from 10.00 with a reserve of 50.00, which Ada leads."""
    auction = auction_of(terms_of(format=format_, opening_minor=10_00, reserve_minor=50_00))
    for bidder_id, maximum_minor in zip((ADA, BOB), maxima_minor, strict=True):
        place(auction.terms, auction.book, bidder_id, maximum_minor)
    auction.book.state = state
    return auction


@pytest.mark.parametrize("viewer_id", EVERYBODY)
@pytest.mark.parametrize("state", [State.LIVE, State.PAUSED, State.QUEUED])
@pytest.mark.parametrize("format_", SEALED)
def test_a_sealed_auction_that_is_open_shows_the_same_whatever_was_bid(
    format_: Format, state: State, viewer_id: str | None
) -> None:
    shown = []
    for maxima_minor in ((98_761, 54_321), (10_00, 10_01)):
        auction = sealed_auction(format_, *maxima_minor, state=state)
        message = auction_message(auction, ALIASES, viewer_id=viewer_id)
        assert message.bid_log_head == auction.book.log_head
        message.ClearField("bid_log_head")
        shown.append(message)
    assert shown[0] == shown[1]
    assert (shown[0].leader_alias, shown[0].leader_id) == ("", "")
    assert shown[0].price == shown[0].minimum_next_bid == usd(10_00)
    assert shown[0].reserve_status == auction_pb2.RESERVE_STATUS_NOT_MET
    assert shown[0].bid_count == 2


@pytest.mark.parametrize(
    ("format_", "price_minor"), [(SEALED_FIRST_PRICE, 98_761), (SEALED_SECOND_PRICE, 54_321)]
)
def test_at_the_end_a_sealed_auction_is_opened(format_: Format, price_minor: int) -> None:
    auction = sealed_auction(format_, 98_761, 54_321)
    auction.close(now=END)
    message = auction_message(auction, ALIASES)
    assert message.price == usd(price_minor)
    assert message.leader_alias == ALIASES.of(AUCTION_ID, ADA)
    assert message.reserve_status == auction_pb2.RESERVE_STATUS_MET


@pytest.mark.parametrize("format_", SEALED)
def test_a_sealed_bids_answer_tells_the_same_whether_it_leads_or_not(format_: Format) -> None:
    answers = []
    for maximum_minor in (98_762, 54_321):
        auction = sealed_auction(format_, 98_761, 20_00)
        event, _ = enter(auction.terms, auction.book, bid_of(new_id(), maximum_minor))
        placed = PlacedBid(AUCTION_ID, 1, auction.terms, event)
        answer = place_bid_response(placed, ALIASES)
        for field in ("bid_id", "bidder_alias", "record_hash"):
            answer.bid.ClearField(field)
        answers.append(answer)
    assert answers[0] == answers[1]
    assert (answers[0].leading, answers[0].price) == (False, usd(10_00))
    assert answers[0].bid.leader_alias == ""
    assert answers[0].minimum_next_bid == usd(10_00)


def test_only_the_seller_sees_who_leads() -> None:
    auction = auction_of(terms_of())
    place(auction.terms, auction.book, ADA, 20_00)
    shown = {v: auction_message(auction, ALIASES, viewer_id=v).leader_id for v in EVERYBODY}
    assert shown == {None: "", SELLER: ADA, ADA: "", BOB: ""}


def test_only_the_seller_and_the_bidder_see_who_bid() -> None:
    terms = terms_of()
    auction = auction_of(terms)
    event, _ = place(terms, auction.book, ADA, 98_761)
    bids = {v: bid_message(AUCTION_ID, terms, event, ALIASES, viewer_id=v) for v in EVERYBODY}
    assert {v: bid.bidder_id for v, bid in bids.items()} == {
        None: "",
        SELLER: ADA,
        ADA: ADA,
        BOB: "",
    }
    for bid in bids.values():
        assert bid.bidder_alias == bid.leader_alias == ALIASES.of(AUCTION_ID, ADA)
        assert bid.price == usd(1)
        assert "98761" not in str(bid)


@pytest.mark.parametrize("format_", SEALED)
def test_a_sealed_bid_never_tells_a_price_or_a_leader(format_: Format) -> None:
    auction = sealed_auction(format_, 98_761, 54_321)
    event, _ = enter(auction.terms, auction.book, bid_of(ADA, 99_999))
    bid = bid_message(AUCTION_ID, auction.terms, event, ALIASES, viewer_id=SELLER)
    assert (bid.price, bid.leader_alias, bid.bidder_id) == (usd(10_00), "", ADA)


def test_a_bid_tells_that_it_was_taken_back() -> None:
    terms = terms_of()
    event, _ = place(terms, auction_of(terms).book, ADA, 20_00)
    assert not bid_message(AUCTION_ID, terms, event, ALIASES).retracted
    taken_back = replace(event, retracted=True)
    assert bid_message(AUCTION_ID, terms, taken_back, ALIASES).retracted
    # An answer is replayed as it was given.
    placed = PlacedBid(AUCTION_ID, 1, terms, taken_back)
    assert not place_bid_response(placed, ALIASES).bid.retracted


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (State.LIVE, True),
        (State.QUEUED, True),
        (State.PAUSED, False),
        (State.SCHEDULED, False),
        (State.ENDED, False),
    ],
)
def test_a_purchase_is_offered_only_while_it_would_be_accepted(
    *, state: State, offered: bool
) -> None:
    terms = terms_of(buy_now=BuyNow(50_00, BuyNowAvailability.UNTIL_REACHED))
    assert auction_message(auction_of(terms, state=state), ALIASES).buy_now_offered is offered
    assert not auction_message(auction_of(terms_of(), state=state), ALIASES).buy_now_offered


def test_a_purchase_is_answered_with_its_price_and_time() -> None:
    terms = terms_of(buy_now=BuyNow(50_00, BuyNowAvailability.UNTIL_REACHED))
    auction = auction_of(terms)
    event, _ = enter(terms, auction.book, bid_of(ADA, 50_00, buys=True))
    answer = buy_now_response(PlacedBid(AUCTION_ID, 1, terms, event), ALIASES)
    assert (answer.price, answer.bid.price) == (usd(50_00), usd(50_00))
    assert to_datetime(answer.ended_at) == START
    assert (answer.position.epoch, answer.position.sequence) == (1, 3)
    assert answer.bid.leader_alias == ALIASES.of(AUCTION_ID, ADA)


def test_a_dutch_bid_is_answered_with_what_it_pays() -> None:
    falling = FallingPrice(1_00, timedelta(minutes=1), 5_00)
    terms = terms_of(format=DUTCH, opening_minor=20_00, falling_price=falling)
    auction = auction_of(terms)
    now = START + timedelta(minutes=3)
    event, _ = enter(terms, auction.book, bid_of(ADA, 98_761), now=now)
    answer = place_bid_response(PlacedBid(AUCTION_ID, 1, terms, event), ALIASES)
    assert (answer.won, answer.leading, answer.price) == (True, True, usd(17_00))
    assert (answer.minimum_next_bid, to_datetime(answer.ends_at)) == (usd(17_00), now)
    assert "98761" not in str(answer)


def test_a_paused_auction_tells_since_when_and_for_how_long() -> None:
    auction = auction_of(terms_of(), paused_for=timedelta(seconds=90))
    auction.pause(now=START + timedelta(minutes=5))
    message = auction_message(auction, ALIASES)
    assert message.state == auction_pb2.AUCTION_STATE_PAUSED
    assert to_datetime(message.paused_at) == START + timedelta(minutes=5)
    assert message.paused_for.ToTimedelta() == timedelta(seconds=90)
    fresh = auction_message(auction_of(terms_of()), ALIASES)
    assert not fresh.HasField("paused_at")
    assert not fresh.HasField("paused_for")


def test_a_lot_names_its_show_and_waits_without_times() -> None:
    terms = terms_of().as_lot_of(BOB, bidder_limit_minor=5_000)
    auction = auction_of(terms, state=State.QUEUED, starts_at=None, ends_at=None)
    place(auction.terms, auction.book, ADA, 20_00)
    message = auction_message(auction, ALIASES)
    assert (message.show_id, message.state) == (BOB, auction_pb2.AUCTION_STATE_QUEUED)
    assert (message.bid_count, message.price) == (1, usd(1))
    assert not message.HasField("ends_at")


def test_the_etag_is_the_revision() -> None:
    auction = auction_of(terms_of())
    auction.listing = replace(auction.listing, revision=7)
    assert auction_message(auction, ALIASES).etag == "7"
