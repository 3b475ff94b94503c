from typing import Any, cast

import grpc
import pytest

from blytz.auction.v1.auction_service_pb2 import (
    GetAuctionRequest,
    GetAuctionResponse,
    ListBidsRequest,
    ListBidsResponse,
    OwnStanding,
)
from blytz.common.v1.position_pb2 import Position
from fakes.auction_world import AUCTION_ID, AuctionWorld
from svc_realtime.domain.errors import AuctionNotFound, FeedUnavailable
from svc_realtime.infrastructure.auction_client import CONSISTENT_ATTEMPTS, AuctionClient


class MovingAuction:
    """The stub of an auction that moves on between two readings."""

    def __init__(
        self,
        world: AuctionWorld,
        *,
        bids_between: int = 0,
        list_lags: int = 0,
        listed_epoch: int = 0,
    ) -> None:
        self.world = world
        self.listed_epoch = listed_epoch
        self.bids_between = bids_between
        self.list_lags = list_lags
        self.readings = 0

    async def GetAuction(self, request: GetAuctionRequest) -> GetAuctionResponse:  # noqa: N802
        assert request.auction_id == self.world.auction_id
        self.readings += 1
        answer = GetAuctionResponse(
            auction=self.world.pictures[-1].auction, own_standing=OwnStanding(alias="nobody's")
        )
        for _ in range(self.bids_between):
            self.world.bid()
        return answer

    async def ListBids(self, request: ListBidsRequest) -> ListBidsResponse:  # noqa: N802
        bids = self.world._bids[self.list_lags : self.list_lags + request.page_size]
        position = Position(
            epoch=self.listed_epoch or self.world.epoch, sequence=self.world.last - self.list_lags
        )
        more = self.list_lags + request.page_size < len(self.world._bids)
        self.list_lags = self.listed_epoch = 0
        return ListBidsResponse(
            bids=bids, position=position, next_page_token="more" if more else ""
        )


class FailingAuction:
    """A stub whose every call fails."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self.code = code

    async def GetAuction(self, _request: GetAuctionRequest) -> GetAuctionResponse:  # noqa: N802
        empty = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(self.code, empty, empty)


def client_of(stub: object) -> AuctionClient:
    return AuctionClient(cast("Any", stub))


@pytest.mark.parametrize("bids", [0, 1, 49, 50, 51, 120])
async def test_a_snapshot_is_the_auction_with_its_latest_bids(bids: int) -> None:
    world = AuctionWorld().live(bids=bids)
    assert await client_of(MovingAuction(world)).load(AUCTION_ID) == world.snapshot()


async def test_bids_that_come_between_the_two_readings_are_left_out() -> None:
    world = AuctionWorld().live(bids=80)
    stub = MovingAuction(world, bids_between=100)
    assert await client_of(stub).load(AUCTION_ID) == world.snapshot(82)
    assert stub.readings == 1


async def test_a_list_from_a_replica_that_lags_is_read_again() -> None:
    world = AuctionWorld().live(bids=80)
    stub = MovingAuction(world, list_lags=3)
    assert await client_of(stub).load(AUCTION_ID) == world.snapshot()
    assert stub.readings == 2


async def test_a_list_of_another_epoch_is_read_again() -> None:
    world = AuctionWorld().live(bids=5)
    stub = MovingAuction(world, listed_epoch=2)
    assert await client_of(stub).load(AUCTION_ID) == world.snapshot()
    assert stub.readings == 2


@pytest.mark.parametrize("bids_between", [0, 149, 150])
async def test_a_page_that_holds_all_that_a_snapshot_does_is_enough(bids_between: int) -> None:
    world = AuctionWorld().live(bids=80)
    stub = MovingAuction(world, bids_between=bids_between)
    assert await client_of(stub).load(AUCTION_ID) == world.snapshot(82)
    assert stub.readings == 1


async def test_a_page_that_holds_less_than_a_snapshot_is_read_again() -> None:
    stub = MovingAuction(AuctionWorld().live(bids=80), bids_between=151)
    with pytest.raises(FeedUnavailable):
        await client_of(stub).load(AUCTION_ID)
    assert stub.readings == CONSISTENT_ATTEMPTS


async def test_a_retraction_moves_the_head_and_not_the_bids() -> None:
    world = AuctionWorld().live(bids=3)
    picture = world.pictures[-1]
    picture.auction.bid_log_head = b"a retraction's record".ljust(32)
    picture.auction.bid_count = 2
    picture.recent_bids[0].retracted = world._bids[0].retracted = True
    stub = MovingAuction(world)
    assert await client_of(stub).load(AUCTION_ID) == world.snapshot()
    assert stub.readings == 1


async def test_all_bids_may_be_retracted() -> None:
    world = AuctionWorld().live(bids=2)
    world.pictures[-1].auction.bid_count = 0
    assert await client_of(MovingAuction(world)).load(AUCTION_ID) == world.snapshot()


async def test_an_auction_that_never_stands_still_is_unavailable() -> None:
    stub = MovingAuction(AuctionWorld().live(bids=80), bids_between=400)
    with pytest.raises(FeedUnavailable):
        await client_of(stub).load(AUCTION_ID)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.NOT_FOUND, AuctionNotFound),
        (grpc.StatusCode.UNAVAILABLE, FeedUnavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, FeedUnavailable),
        (grpc.StatusCode.INTERNAL, FeedUnavailable),
    ],
)
async def test_failures_are_said_in_the_feeds_terms(
    code: grpc.StatusCode, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await client_of(FailingAuction(code)).load(AUCTION_ID)
