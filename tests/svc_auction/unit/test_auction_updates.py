"""What of an auction can still be changed, and when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.auction_books import ADA, SELLER, START, auction_of, place, terms_of
from kernel.ids import new_id
from svc_auction.domain.auction import Auction, Update
from svc_auction.domain.book import State
from svc_auction.domain.errors import EtagMismatch, TermsFrozen, TermsInvalid
from svc_auction.domain.events import AuctionUpdated
from svc_auction.domain.formats import LIVE_LOT
from svc_auction.domain.increments import LIVE_LADDER

LATER = START + timedelta(minutes=1)
WAITS = {"starts_at": None, "ends_at": None, "announced_end_at": None}
NEW_TERMS = terms_of(opening_minor=5_00, ladder=LIVE_LADDER)


def waiting(state: State = State.QUEUED) -> Auction:
    """Return an auction that bids may or may not have been placed on, but that has not begun."""
    times = {} if state is State.SCHEDULED else WAITS
    return auction_of(terms_of(), state=state, **times)


def as_it_is(auction: Auction) -> Auction:
    """Return an auction that stays as this one is now."""
    return Auction(auction.listing, auction.terms, replace(auction.book))


@pytest.mark.parametrize("state", [State.DRAFT, State.SCHEDULED, State.QUEUED])
def test_before_the_first_bid_everything_can_change(state: State) -> None:
    auction = waiting(state)
    update = Update(title="A clock", description="", image_url="/c.jpg", terms=NEW_TERMS)
    event = auction.update(now=LATER, etag="1", update=update)
    listing = auction.listing
    assert (listing.title, listing.description, listing.image_url) == ("A clock", "", "/c.jpg")
    assert (auction.terms, auction.book.price_minor) == (NEW_TERMS, 5_00)
    assert (auction.etag, listing.description_changed_at) == ("2", LATER)
    assert isinstance(event, AuctionUpdated) is (state is not State.DRAFT)


def test_what_is_not_named_stays() -> None:
    auction = waiting()
    before = as_it_is(auction)
    auction.update(now=LATER, etag="1", update=Update())
    assert auction.listing == replace(before.listing, revision=2)
    assert auction.terms == before.terms


def test_an_update_is_of_the_version_that_was_read() -> None:
    auction = waiting()
    auction.update(now=LATER, etag="1", update=Update(title="A clock"))
    before = as_it_is(auction)
    with pytest.raises(EtagMismatch):
        auction.update(now=LATER, etag="1", update=Update(title="A cuckoo"))
    assert auction == before
    auction.update(now=LATER, etag="2", update=Update(title="A cuckoo"))
    auction.update(now=LATER, etag="", update=Update(title="Whatever it was"))
    assert (auction.etag, auction.listing.title) == ("4", "Whatever it was")


@pytest.mark.parametrize(
    "update",
    [Update(title="A clock"), Update(image_url=""), Update(terms=NEW_TERMS)],
    ids=["title", "picture", "terms"],
)
@pytest.mark.parametrize("state", [State.LIVE, State.PAUSED, State.QUEUED])
def test_once_bidding_has_begun_all_but_the_description_is_frozen(
    state: State, update: Update
) -> None:
    auction = waiting() if state is State.QUEUED else auction_of(terms_of(), state=state)
    if state is State.QUEUED:
        place(auction.terms, auction.book, ADA, 10_00)
    before = as_it_is(auction)
    with pytest.raises(TermsFrozen):
        auction.update(now=LATER, etag="", update=update)
    with pytest.raises(TermsFrozen):
        auction.update(now=LATER, etag="", update=replace(update, description="Louder."))
    assert auction == before
    event = auction.update(now=LATER, etag="", update=Update(description="Louder."))
    assert isinstance(event, AuctionUpdated)
    assert (event.sequence, event.occurred_at) == (before.book.sequence + 1, LATER)
    assert auction.listing.description == "Louder."
    assert auction.listing.description_changed_at == LATER


def test_the_same_description_is_no_change_of_it() -> None:
    auction = waiting()
    same = Update(description=auction.listing.description)
    auction.update(now=LATER, etag="", update=same)
    assert (auction.listing.description_changed_at, auction.etag) == (None, "2")
    auction.update(now=LATER, etag="", update=Update(description="Louder."))
    auction.update(now=LATER + timedelta(hours=1), etag="", update=Update(title="A clock"))
    assert auction.listing.description_changed_at == LATER


def test_a_lot_stays_in_its_show() -> None:
    show_id = new_id()
    auction = waiting()
    auction.terms = terms_of().as_lot_of(show_id, bidder_limit_minor=500_00)
    auction.update(now=LATER, etag="", update=Update(terms=NEW_TERMS))
    assert auction.terms == NEW_TERMS.as_lot_of(show_id, bidder_limit_minor=500_00)
    assert auction.terms.seller_id == SELLER


def test_terms_that_do_not_fit_the_announced_times_change_nothing() -> None:
    auction = waiting(State.SCHEDULED)
    assert auction.book.ends_at is not None
    auction.book.ends_at += timedelta(seconds=1)
    before = as_it_is(auction)
    with pytest.raises(TermsInvalid, match="an hour at the most"):
        auction.update(now=LATER, etag="", update=Update(terms=terms_of(format=LIVE_LOT)))
    assert auction == before
