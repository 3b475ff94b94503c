import pytest

from fakes.auction_books import ADA, AUCTION_ID, BOB, END, SELLER, START, soft_close, terms_of
from kernel.ids import new_id
from svc_auction.domain.auction import Funding, Outcome, State, Terms
from svc_auction.domain.increments import Ladder, Step
from svc_auction.infrastructure.rows import terms_parameters, to_auction, to_bid_placed, to_terms

COLUMNS = (
    "seller_id currency_code opening_minor reserve_minor prices_from_minor steps_minor "
    "extend_within_ms extend_by_ms extensions_max funding"
).split()


@pytest.mark.parametrize(
    "terms",
    [
        terms_of(),
        terms_of(reserve_minor=500, funding=Funding.WALLET_HOLD),
        terms_of(soft_close=soft_close(within_s=0.5, by_s=3_600, times=7)),
        terms_of(ladder=Ladder([Step(0, 3), Step(100, 9)]), currency_code="EUR"),
    ],
)
def test_terms_survive_their_columns(terms: Terms) -> None:
    parameters = terms_parameters(terms)
    assert parameters.keys() == set(COLUMNS)
    found = to_terms(tuple(parameters[name] for name in COLUMNS))
    assert found.ladder.steps == terms.ladder.steps
    assert (found.reserve_minor, found.soft_close) == (terms.reserve_minor, terms.soft_close)
    assert (found.seller_id, found.currency_code) == (SELLER, terms.currency_code)
    assert (found.opening_minor, found.funding) == (terms.opening_minor, terms.funding)


def test_auctions_with_the_same_steps_share_a_ladder() -> None:
    parameters = terms_parameters(terms_of())
    row = tuple(parameters[name] for name in COLUMNS)
    assert to_terms(row).ladder is to_terms(row).ladder


def test_a_row_of_the_view_is_a_whole_auction() -> None:
    parameters = terms_parameters(terms_of())
    auction = to_auction(
        (
            *(AUCTION_ID, "Sue", "A watch", "It ticks.", "/w.jpg", START),
            *(parameters[name] for name in COLUMNS),
            *(4, 1, 1, 9, 950, ADA, 2_000, 0, 3, 1, START, END, b"\x01" * 32),
        )
    )
    assert (auction.listing.title, auction.listing.image_url) == ("A watch", "/w.jpg")
    book = auction.book
    assert (book.auction_id, book.state, book.outcome) == (AUCTION_ID, State.ENDED, Outcome.SOLD)
    assert (book.epoch, book.sequence, book.price_minor) == (1, 9, 950)
    assert (book.leader_id, book.leader_maximum_minor, book.held_minor) == (ADA, 2_000, 0)
    assert (book.bid_count, book.extension_count, book.log_head) == (3, 1, b"\x01" * 32)
    assert (book.starts_at, book.ends_at) == (START, END)


def test_a_record_of_the_log_is_a_bid() -> None:
    bid_id, request_id = new_id(), new_id()
    head = b"\x02" * 32
    bid = to_bid_placed(
        (AUCTION_ID, 7, 1, bid_id, ADA, request_id, 2_000, 950, BOB, 3, END, START, head)
    )
    assert (bid.sequence, bid.bid_id, bid.request_id, bid.bid_count) == (7, bid_id, request_id, 3)
    assert (bid.bidder_id, bid.leader_id, bid.outbid_id) == (ADA, BOB, None)
    assert (bid.maximum_minor, bid.price_minor) == (2_000, 950)
    assert (bid.ends_at, bid.occurred_at, bid.record_hash) == (END, START, head)
