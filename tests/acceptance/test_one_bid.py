"""One real bid, and the feed that shows it, through Envoy in every protocol."""

import asyncio
from contextlib import aclosing

import grpc

from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionRequest
from fakes.market import OPENING_MINOR, Market, bid_request
from fakes.protocols import METHODS, Protocol, bearer

FEED_WITHIN_S = 10.0


async def test_a_bid_is_committed_and_funded(market: Market, protocol: Protocol) -> None:
    seller, bidder = await market.seller(), await market.person(funds_minor=100_00)
    auction = await market.auction(seller)
    request = bid_request(auction.auction_id, 50_00)
    token = bearer(bidder.tokens.access_token)
    answer = await protocol.call(METHODS["PlaceBid"], request, token)
    assert answer.status is grpc.StatusCode.OK
    assert answer.message.leading
    assert answer.message.price.amount_minor == OPENING_MINOR
    assert answer.message.minimum_next_bid.amount_minor == OPENING_MINOR + 50
    written = await market.written(auction.auction_id, bidder)
    assert len(written["bids"]) == 1
    assert [held_minor for _, held_minor in written["held"]] == [50_00]


async def test_the_same_request_gets_the_same_answer(market: Market, protocol: Protocol) -> None:
    seller, bidder = await market.seller(), await market.person(funds_minor=100_00)
    auction = await market.auction(seller)
    request = bid_request(auction.auction_id, 50_00)
    token = bearer(bidder.tokens.access_token)
    first = await protocol.call(METHODS["PlaceBid"], request, token)
    before = await market.written(auction.auction_id, bidder)
    again = await protocol.call(METHODS["PlaceBid"], request, token)
    assert first.message.SerializeToString() == again.message.SerializeToString()
    assert await market.written(auction.auction_id, bidder) == before


async def test_a_watcher_sees_the_bid(market: Market, protocol: Protocol) -> None:
    seller, bidder = await market.seller(), await market.person(funds_minor=100_00)
    auction = await market.auction(seller)
    watched = WatchAuctionRequest(auction_id=auction.auction_id)
    async with (
        asyncio.timeout(FEED_WITHIN_S),
        aclosing(protocol.stream(METHODS["WatchAuction"], watched)) as feed,
    ):
        first = await anext(feed)
        assert first.snapshot.auction.auction_id == auction.auction_id
        assert first.snapshot.auction.bid_count == 0
        placed = await bidder.place_bid(
            auction.auction_id, maximum_minor=50_00, currency_code="USD"
        )
        frame = await anext(feed)
    (update,) = frame.updates
    assert update.sequence == first.position.sequence + 1 == placed.position.sequence
    assert update.bid.bid == placed.bid
    assert frame.position == placed.position


async def test_a_feed_goes_on_where_it_was(market: Market, protocol: Protocol) -> None:
    seller, bidder = await market.seller(), await market.person(funds_minor=100_00)
    auction_id = (await market.auction(seller)).auction_id
    watch = METHODS["WatchAuction"]
    watched = WatchAuctionRequest(auction_id=auction_id)
    async with (
        asyncio.timeout(FEED_WITHIN_S),
        aclosing(protocol.stream(watch, watched)) as present,
    ):
        position = (await anext(present)).position
        missed = [
            await bidder.place_bid(auction_id, maximum_minor=maximum, currency_code="USD")
            for maximum in (20_00, 30_00, 40_00)
        ]
        # Whoever comes back gets what is committed; let the feed have seen it.
        while (await anext(present)).position != missed[-1].position:
            pass
        resumed = WatchAuctionRequest(auction_id=auction_id, resume_from=position)
        async with aclosing(protocol.stream(watch, resumed)) as feed:
            frame = await anext(feed)
    assert [update.sequence for update in frame.updates] == [
        bid.position.sequence for bid in missed
    ]
    assert frame.recovered
    assert not frame.HasField("snapshot")
