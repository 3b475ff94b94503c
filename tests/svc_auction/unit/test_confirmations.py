"""Large bids: from where on they are asked about, and which token lets which bid pass."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fakes.auction_books import ADA, BOB, bid_of, book_of, enter, place, terms_of
from kernel.ids import new_id
from kernel.money import Money
from svc_auction.application.confirmations import GOOD_FOR_S, Confirmations
from svc_auction.application.place_bid import PlaceBid
from svc_auction.application.ports import PlacedBid
from svc_auction.domain.bidding import Bid
from svc_auction.domain.errors import BidTooLow, ConfirmLargeBid, MaximumNotRaised
from svc_auction.domain.formats import SEALED_SECOND_PRICE

NOW_S = 1_793_534_400.9
BID = bid_of(ADA, 1_000_00)
TERMS = terms_of(opening_minor=10_00, confirm_above_factor=5)


def confirmations(*, key: str = "a key", at_s: float = NOW_S) -> Confirmations:
    return Confirmations(key, clock=lambda: at_s)


TOKEN = confirmations().token_for(BID)


def test_the_first_bid_is_measured_against_the_opening_price() -> None:
    enter(TERMS, book_of(TERMS), bid_of(ADA, 50_00))
    book = book_of(TERMS)
    with pytest.raises(ConfirmLargeBid) as refused:
        enter(TERMS, book, bid_of(ADA, 50_01))
    assert refused.value.price_minor == 10_00
    assert book == book_of(TERMS)
    enter(TERMS, book, bid_of(ADA, 50_01, confirmed=True))
    assert (book.leader_maximum_minor, book.price_minor) == (50_01, 10_00)


def test_later_bids_are_measured_against_the_price() -> None:
    book = book_of(TERMS)
    place(TERMS, book, ADA, 40_00)
    place(TERMS, book, BOB, 20_00)
    assert book.price_minor == 20_50
    with pytest.raises(ConfirmLargeBid) as refused:
        enter(TERMS, book, bid_of(BOB, 102_51))
    assert refused.value.price_minor == 20_50
    enter(TERMS, book, bid_of(BOB, 102_50))


def test_a_leader_who_raises_far_is_asked_too() -> None:
    book = book_of(TERMS)
    place(TERMS, book, ADA, 40_00)
    with pytest.raises(ConfirmLargeBid):
        enter(TERMS, book, bid_of(ADA, 50_01))


def test_nobody_is_asked_about_a_bid_that_would_be_refused_anyway() -> None:
    book = book_of(terms_of(opening_minor=10_00))
    place(terms_of(opening_minor=10_00), book, ADA, 500_00)
    with pytest.raises(MaximumNotRaised):
        enter(TERMS, book, bid_of(ADA, 400_00))
    with pytest.raises(BidTooLow):
        enter(TERMS, book, bid_of(BOB, 9_99))


def test_without_a_factor_nobody_is_asked() -> None:
    terms = terms_of(opening_minor=1)
    enter(terms, book_of(terms), bid_of(ADA, 10_000_000_00))


def test_the_question_tells_nothing_about_sealed_bids() -> None:
    terms = replace(TERMS, format=SEALED_SECOND_PRICE)
    book = book_of(terms)
    place(terms, book, ADA, 50_00)
    place(terms, book, BOB, 49_00)
    with pytest.raises(ConfirmLargeBid) as refused:
        enter(terms, book, bid_of(new_id(), 50_01))
    assert refused.value.price_minor == 10_00


def test_a_token_lets_its_own_bid_pass() -> None:
    assert confirmations().covers(TOKEN, BID)
    again = replace(BID, request_id=new_id(), confirmed=True)
    assert confirmations().covers(TOKEN, again)


@pytest.mark.parametrize(
    "change",
    [
        {"maximum_minor": BID.maximum_minor + 1},
        {"maximum_minor": BID.maximum_minor - 1},
        {"bidder_id": BOB},
        {"auction_id": new_id()},
        {"currency_code": "EUR"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_token_covers_no_other_bid(change: dict[str, object]) -> None:
    assert not confirmations().covers(TOKEN, replace(BID, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("later_s", "good"), [(0, True), (GOOD_FOR_S - 1, True), (GOOD_FOR_S, False)]
)
def test_a_token_is_good_for_five_minutes(*, later_s: float, good: bool) -> None:
    assert confirmations(at_s=NOW_S + later_s).covers(TOKEN, BID) is good


def test_a_token_expires_to_the_second() -> None:
    good_until_s = int(TOKEN.partition(".")[0])
    assert good_until_s == int(NOW_S) + GOOD_FOR_S
    assert confirmations(at_s=good_until_s - 0.001).covers(TOKEN, BID)
    assert not confirmations(at_s=good_until_s).covers(TOKEN, BID)


def test_a_token_of_another_key_is_none() -> None:
    assert not confirmations(key="another key").covers(TOKEN, BID)
    assert confirmations(key="a key").covers(TOKEN, BID)


@pytest.mark.parametrize(
    "forged",
    [
        "",
        ".",
        "x",
        TOKEN[:-1],
        TOKEN[:-1] + ("0" if TOKEN[-1] != "0" else "1"),
        TOKEN + "0",
        TOKEN.partition(".")[2],
        str(int(NOW_S) + 10**6) + "." + TOKEN.partition(".")[2],
        "9" * 13 + "." + TOKEN.partition(".")[2],
        "9" * 5_000 + ".",
        "-" + TOKEN,
        "²." + TOKEN.partition(".")[2],
        "١٢٣." + TOKEN.partition(".")[2],
        TOKEN + "é",
        TOKEN.upper(),
    ],
)
def test_a_forged_token_is_none(forged: str) -> None:
    assert not confirmations().covers(forged, BID)


class Lanes:
    """Lanes on which every bid is large until it is confirmed."""

    def __init__(self) -> None:
        self.confirmed: list[Bid] = []

    async def place(self, bid: Bid) -> PlacedBid:
        """Note a confirmed bid and ask about any other."""
        book = book_of(TERMS)
        event, _ = enter(TERMS, book, bid)
        self.confirmed.append(bid)
        return PlacedBid(bid.auction_id, 1, TERMS, event)


class NoWallet:
    """A wallet that nobody needs here."""

    def __init__(self) -> None:
        self.asked: Sequence[Money] = ()

    async def top_up(self, *, auction_id: str, bidder_id: str, shortfall: Money) -> None:
        """Note that somebody asked."""
        del auction_id, bidder_id
        self.asked = (*self.asked, shortfall)


async def test_a_bidder_is_asked_and_bids_again_with_the_token() -> None:
    lanes, wallet = Lanes(), NoWallet()
    place_bid = PlaceBid(lanes=lanes, power=wallet, confirmations=confirmations())
    with pytest.raises(ConfirmLargeBid) as asked:
        await place_bid(BID)
    assert asked.value.metadata == {"price_minor": "1000", "confirmation_token": TOKEN}
    with pytest.raises(ConfirmLargeBid) as asked_again:
        await place_bid(replace(BID, maximum_minor=2_000_00), confirmation_token=TOKEN)
    assert asked_again.value.metadata["confirmation_token"] != TOKEN
    assert lanes.confirmed == []
    placed = await place_bid(BID, confirmation_token=TOKEN)
    assert placed.event.maximum_minor == BID.maximum_minor
    assert lanes.confirmed == [replace(BID, confirmed=True)]
    assert wallet.asked == ()
