"""What a watcher makes of an auction's feed."""

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1.auction_pb2 import (
    Auction,
    AuctionFormat,
    AuctionState,
    AuctionTerms,
    Bid,
    FallingPrice,
)
from blytz.common.v1.money_pb2 import Money
from blytz.realtime.v1.realtime_service_pb2 import (
    AuctionSnapshot,
    AuctionUpdate,
    EndUpdate,
    WatchAuctionResponse,
)
from stack.auction_view import AuctionView


def stamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def usd(amount_minor: int) -> Money:
    return Money(currency_code="USD", amount_minor=amount_minor)


def view_of(auction: Auction, *bids: Bid) -> AuctionView:
    view = AuctionView()
    view.apply(
        WatchAuctionResponse(snapshot=AuctionSnapshot(auction=auction, recent_bids=list(bids)))
    )
    return view


def dutch(*, started_s_ago: float, paused: timedelta = timedelta()) -> Auction:
    auction = Auction(
        state=AuctionState.AUCTION_STATE_LIVE,
        price=usd(1000),
        starts_at=stamp(datetime.now(UTC) - timedelta(seconds=started_s_ago)),
        terms=AuctionTerms(
            format=AuctionFormat.AUCTION_FORMAT_DUTCH,
            opening_price=usd(1000),
            falling_price=FallingPrice(
                drop_minor=300, every=Duration(seconds=100), floor_minor=250
            ),
        ),
    )
    auction.paused_for.FromTimedelta(paused)
    return auction


def test_a_falling_price_has_fallen_once_for_each_whole_interval() -> None:
    assert view_of(dutch(started_s_ago=50)).price_minor == 1000
    assert view_of(dutch(started_s_ago=150)).price_minor == 700
    assert view_of(dutch(started_s_ago=5000)).price_minor == 250
    paused = dutch(started_s_ago=250, paused=timedelta(seconds=100))
    assert view_of(paused).price_minor == 700


def test_other_prices_are_what_they_are() -> None:
    view = view_of(Auction(state=AuctionState.AUCTION_STATE_LIVE, price=usd(420)))
    assert view.price_minor == 420
    assert not view.falls
    assert not view.sealed


def test_the_end_of_a_sealed_auction_names_its_winner() -> None:
    terms = AuctionTerms(format=AuctionFormat.AUCTION_FORMAT_SEALED_SECOND_PRICE)
    view = view_of(Auction(state=AuctionState.AUCTION_STATE_LIVE, terms=terms, price=usd(100)))
    assert view.sealed
    end = EndUpdate(price=usd(900), winner_alias="Blue Otter 3")
    view.apply(WatchAuctionResponse(updates=[AuctionUpdate(sequence=9, end=end)]))
    assert view.over
    assert (view.auction.leader_alias, view.price_minor) == ("Blue Otter 3", 900)


def test_bids_are_forgotten_when_some_were_taken_back() -> None:
    view = view_of(Auction(bid_count=2), Bid(bid_id="b"), Bid(bid_id="a"))
    update = AuctionUpdate(sequence=5, auction=Auction(bid_count=1, price=usd(100)))
    view.apply(WatchAuctionResponse(updates=[update]))
    assert list(view.recent_bids) == []
    assert view.auction.bid_count == 1
