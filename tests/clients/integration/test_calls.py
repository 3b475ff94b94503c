"""What the client sends for a bidder, a seller with a show, and their visitors."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from blytz.auction.v1 import auction_service_pb2, show_service_pb2
from blytz.auction.v1.auction_pb2 import Auction, AuctionTerms
from blytz.auction.v1.auction_service_pb2 import ListWatchlistRequest, ListWatchlistResponse
from blytz.auction.v1.show_pb2 import Show
from blytz.auction.v1.show_service_pb2 import ListShowsRequest, ListShowsResponse
from blytz.identity.v1.auth_service_pb2 import Session as Tokens
from blytz_client import Blytz, BlytzCallError, Session
from fakes.scripted_edge import ScriptedEdge, fail, scripted_edge

AUCTION_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
BID_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2c"
SHOW_ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2d"
START = datetime(2026, 11, 22, 20, tzinfo=UTC)


@pytest.fixture
async def edge() -> AsyncIterator[ScriptedEdge]:
    """An edge that answers every RPC about auctions and shows with an empty message."""
    async with scripted_edge() as edge:
        for file in (auction_service_pb2, show_service_pb2):
            for service in file.DESCRIPTOR.services_by_name.values():
                for method in service.methods:
                    edge.script[method.name] = _empty(method)
        yield edge


def _empty(method: Any) -> Any:
    async def answer(_request: Any, _context: Any) -> Any:
        return GetMessageClass(method.output_type)()

    return answer


@pytest.fixture
async def ada(edge: ScriptedEdge) -> AsyncIterator[Session]:
    async with Blytz(edge.url) as blytz:
        expires_at = Timestamp()
        expires_at.FromDatetime(datetime.now(UTC) + timedelta(minutes=15))
        yield blytz.resume(Tokens(access_token="access", access_token_expires_at=expires_at))


async def test_a_bid_carries_its_confirmation_and_goes_to_its_auctions_replica(
    edge: ScriptedEdge, ada: Session
) -> None:
    await ada.place_bid(
        AUCTION_ID, maximum_minor=500, currency_code="USD", confirmation_token="meant"
    )
    ((name, request),) = edge.requests
    assert (name, request.maximum.amount_minor) == ("PlaceBid", 500)
    assert request.confirmation_token == "meant"
    assert request.request_id
    assert edge.metadata[0]["x-route-key"] == AUCTION_ID
    assert edge.metadata[0]["authorization"] == "Bearer access"


async def test_a_bidder_buys_takes_back_watches_and_keeps_a_receipt(
    edge: ScriptedEdge, ada: Session
) -> None:
    await ada.buy_now(AUCTION_ID, price_minor=900, currency_code="USD")
    await ada.retract_bid(AUCTION_ID, BID_ID)
    await ada.watchlist_add(AUCTION_ID)
    await ada.watchlist_remove(AUCTION_ID)
    await ada.get_bid_receipt(AUCTION_ID, BID_ID)
    names = ["BuyNow", "RetractBid", "WatchlistAdd", "WatchlistRemove", "GetBidReceipt"]
    assert [name for name, _ in edge.requests] == names
    assert {request.auction_id for _, request in edge.requests} == {AUCTION_ID}
    sent = dict(edge.requests)
    assert sent["BuyNow"].price.amount_minor == 900
    assert (sent["RetractBid"].bid_id, sent["GetBidReceipt"].bid_id) == (BID_ID, BID_ID)
    assert sent["RetractBid"].reason == 1


async def test_lists_are_read_page_by_page(edge: ScriptedEdge, ada: Session) -> None:
    async def watched(request: ListWatchlistRequest, _context: Any) -> ListWatchlistResponse:
        number = request.page_token or "1"
        following = "2" if number == "1" else ""
        auctions = [Auction(auction_id=number)]
        return ListWatchlistResponse(auctions=auctions, next_page_token=following)

    async def listed(request: ListShowsRequest, _context: Any) -> ListShowsResponse:
        number = request.page_token or "1"
        following = "2" if number == "1" else ""
        return ListShowsResponse(shows=[Show(show_id=number)], next_page_token=following)

    edge.script |= {"ListWatchlist": watched, "ListShows": listed}
    assert [auction.auction_id async for auction in ada.list_watchlist()] == ["1", "2"]
    assert [show.show_id async for show in ada.list_shows(bookmarked_only=True)] == ["1", "2"]
    assert edge.requests[-1][1].bookmarked_only


async def test_a_seller_plans_and_runs_a_show(edge: ScriptedEdge, ada: Session) -> None:
    await ada.create_show(title="Sunday clocks", starts_at=START)
    await ada.add_lot(SHOW_ID, title="Mantel clock", terms=AuctionTerms())
    await ada.add_lot_again(SHOW_ID, AUCTION_ID)
    await ada.reorder_lots(SHOW_ID, [AUCTION_ID], etag="7")
    await ada.start_show(SHOW_ID)
    await ada.open_next_lot(SHOW_ID, lasts=timedelta(seconds=45))
    await ada.open_next_lot(SHOW_ID)
    await ada.pause_lot(SHOW_ID)
    await ada.resume_lot(SHOW_ID)
    await ada.end_show(SHOW_ID)
    await ada.bookmark_show(SHOW_ID, remove=True)
    await ada.get_show(SHOW_ID)
    created, new, again, reordered, _started, timed, untimed, *rest = [
        request for _, request in edge.requests
    ]
    assert created.starts_at.ToDatetime(UTC) == START
    assert (new.new_lot.title, again.rerun_auction_id) == ("Mantel clock", AUCTION_ID)
    assert (list(reordered.lot_ids), reordered.etag) == ([AUCTION_ID], "7")
    assert timed.duration.seconds == 45
    assert not untimed.HasField("duration")
    assert [name for name, _ in edge.requests][-5:] == [
        *("PauseLot", "ResumeLot", "EndShow", "BookmarkShow", "GetShow")
    ]
    assert {request.show_id for request in rest} == {SHOW_ID}


async def test_a_refusal_is_an_error_with_its_reason(edge: ScriptedEdge, ada: Session) -> None:
    async def refuse(_request: Any, context: Any) -> None:
        await fail(context, grpc.StatusCode.FAILED_PRECONDITION)

    edge.script["BuyNow"] = refuse
    with pytest.raises(BlytzCallError) as refusal:
        await ada.buy_now(AUCTION_ID, price_minor=900, currency_code="USD")
    assert refusal.value.status is grpc.StatusCode.FAILED_PRECONDITION
