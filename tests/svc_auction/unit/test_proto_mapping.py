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
    place,
    soft_close,
    terms_of,
)
from svc_auction.application.ports import PlacedBid
from svc_auction.application.read_auctions import OwnStanding
from svc_auction.domain.auction import Funding, State
from svc_auction.domain.errors import TermsInvalid
from svc_auction.domain.increments import DEFAULT_LADDER
from svc_auction.infrastructure.aliases import Aliases
from svc_auction.infrastructure.proto_mapping import (
    auction_message,
    own_standing_message,
    place_bid_response,
    reserve_status,
    terms_message,
    to_datetime,
    to_terms,
    to_timestamp,
)

ALIASES = Aliases("a key")


def terms_in(**changes: object) -> auction_pb2.AuctionTerms:
    message = auction_pb2.AuctionTerms(
        format=auction_pb2.AUCTION_FORMAT_ENGLISH,
        opening_price=Money(currency_code="USD", amount_minor=99),
        funding_policy=auction_pb2.FUNDING_POLICY_WALLET_HOLD,
    )
    message.MergeFrom(auction_pb2.AuctionTerms(**changes))  # type: ignore[arg-type]
    return message


@pytest.mark.parametrize(
    "at", [START, START + timedelta(microseconds=1), datetime(1969, 12, 31, 23, 59, 59, 5, UTC)]
)
def test_times_are_exact_to_the_microsecond(at: datetime) -> None:
    assert to_datetime(to_timestamp(at)) == at


@pytest.mark.parametrize("seconds", [-(10**12), 10**12])
def test_a_time_outside_the_calendar_is_refused(seconds: int) -> None:
    with pytest.raises(TermsInvalid):
        to_datetime(Timestamp(seconds=seconds))


def test_terms_survive_but_for_the_reserve() -> None:
    terms = terms_of(reserve_minor=500, soft_close=soft_close(), funding=Funding.WALLET_HOLD)
    message = terms_message(terms)
    found = to_terms(
        message, seller_id=SELLER, reserve=Money(currency_code="USD", amount_minor=500)
    )
    assert found.ladder.steps == terms.ladder.steps
    assert (found.soft_close, found.funding) == (terms.soft_close, Funding.WALLET_HOLD)
    assert (found.opening_minor, found.reserve_minor) == (1, 500)
    assert b"500" not in message.SerializeToString()


def test_no_ladder_means_the_default() -> None:
    terms = to_terms(terms_in(), seller_id=SELLER, reserve=None)
    assert terms.ladder is DEFAULT_LADDER
    assert (terms.reserve_minor, terms.soft_close) == (None, None)


@pytest.mark.parametrize(
    "reserve",
    [
        Money(currency_code="EUR", amount_minor=500),
        Money(currency_code="USD", amount_minor=98),
        Money(currency_code="USD", amount_minor=-1),
    ],
)
def test_a_reserve_that_does_not_fit_is_refused(reserve: Money) -> None:
    with pytest.raises(TermsInvalid):
        to_terms(terms_in(), seller_id=SELLER, reserve=reserve)


def test_a_ladder_that_does_not_rise_is_refused() -> None:
    steps = [auction_pb2.IncrementStep(price_from_minor=5, step_minor=1)]
    with pytest.raises(TermsInvalid):
        to_terms(terms_in(increments=steps), seller_id=SELLER, reserve=None)


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
