from blytz.auction.v1.auction_pb2 import Auction, AuctionOutcome, Bid, ReserveStatus
from blytz.realtime.v1.realtime_service_pb2 import (
    AuctionSnapshot,
    AuctionUpdate,
    EndUpdate,
    WatchAuctionResponse,
)
from fakes.auction_world import BIDDER_ID, LEADER_ID, AuctionWorld, usd
from svc_realtime.domain.position import Position
from svc_realtime.infrastructure.frame_codec import (
    ProtobufFrameCodec,
    serialised_snapshot,
    serialised_update,
)

CODEC = ProtobufFrameCodec()


def parse(payload: bytes) -> WatchAuctionResponse:
    return WatchAuctionResponse.FromString(payload)


def test_a_frame_is_its_position_its_updates_and_its_flags() -> None:
    world = AuctionWorld().live(bids=3)
    updates = [change.update for change in world.changes(2)]
    frame = parse(CODEC.frame(Position(1, 5), updates=updates, recovered=True))
    assert (frame.position.epoch, frame.position.sequence) == (1, 5)
    assert [update.sequence for update in frame.updates] == [3, 4, 5]
    assert frame.recovered
    assert not frame.reconnect
    assert not frame.HasField("snapshot")
    assert frame.server_time.ToSeconds() > 1_700_000_000


def test_joined_frames_are_one_frame_at_the_last_position_and_time() -> None:
    world = AuctionWorld().live(bids=4)
    first = CODEC.frame(Position(1, 4), updates=[c.update for c in world.changes(2, 4)])
    second = CODEC.frame(Position(1, 6), updates=[c.update for c in world.changes(4, 6)])
    joined = parse(CODEC.join([first, second]))
    assert joined.position.sequence == 6
    assert joined.server_time == parse(second).server_time
    assert [update.sequence for update in joined.updates] == [3, 4, 5, 6]


def test_a_time_always_overrides_the_one_before_it() -> None:
    assert parse(CODEC.frame(Position(1, 1))).server_time.nanos > 0


def test_folding_every_kind_of_update_gives_the_true_picture() -> None:
    world = AuctionWorld()
    world.create()
    world.queue()
    world.offer_buy_now(600)
    world.start()
    for _ in range(60):
        world.bid()
    world.extend()
    world.update()
    world.bid()
    world.pause()
    world.resume()
    world.bid()
    world.pause()
    world.end()
    start = world.snapshot(2)
    for end in range(2, world.last + 1):
        updates = [change.update for change in world.changes(2, end)] if end > 2 else []
        assert CODEC.fold(start, updates, Position(1, end)) == world.snapshot(end)
    assert len(parse(world.snapshot().body).snapshot.recent_bids) == 50


def test_folding_a_cancellation() -> None:
    world = AuctionWorld().live(bids=1)
    world.cancel()
    folded = CODEC.fold(world.snapshot(3), [world.change(4).update], Position(1, 4))
    assert folded == world.snapshot(4)


def picture_after(world: AuctionWorld, start: int, end: int) -> AuctionSnapshot:
    updates = [change.update for change in world.changes(start, end)]
    folded = CODEC.fold(world.snapshot(start), updates, Position(1, end))
    return parse(folded.body).snapshot


def test_a_retraction_leaves_no_bids_rather_than_wrong_ones() -> None:
    world = AuctionWorld().live(bids=3)
    world.retract()
    after = picture_after(world, 2, world.last)
    assert after.auction == world.pictures[-1].auction
    assert list(after.recent_bids) == []
    world.bid()
    world.bid()
    after = picture_after(world, 2, world.last)
    assert [bid.sequence for bid in after.recent_bids] == [8, 7]
    assert after.auction.bid_count == 4


def test_a_purchase_ends_the_auction_and_its_offer() -> None:
    world = AuctionWorld()
    world.offer_buy_now(5000)
    world.live(bids=2)
    world.end(AuctionOutcome.AUCTION_OUTCOME_BOUGHT_NOW)
    after = picture_after(world, 2, world.last)
    assert after.auction.outcome == AuctionOutcome.AUCTION_OUTCOME_BOUGHT_NOW
    assert not after.auction.buy_now_offered
    assert after == world.pictures[-1]


def test_the_end_of_a_sealed_auction_reveals_its_winner_and_that_the_reserve_is_met() -> None:
    world = AuctionWorld().live(bids=1)
    hidden = world.snapshot(2)
    frame = parse(hidden.body)
    frame.snapshot.auction.reserve_status = ReserveStatus.RESERVE_STATUS_NOT_MET
    start = serialised_snapshot(frame.snapshot, hidden.position)
    end = AuctionUpdate(
        sequence=3,
        end=EndUpdate(
            outcome=AuctionOutcome.AUCTION_OUTCOME_SOLD,
            price=usd(900),
            winner_alias="Blue Otter 3",
        ),
    )
    folded = CODEC.fold(start, [serialised_update(end)], Position(1, 3))
    auction = parse(folded.body).snapshot.auction
    assert auction.leader_alias == "Blue Otter 3"
    assert auction.price == usd(900)
    assert auction.reserve_status == ReserveStatus.RESERVE_STATUS_MET


def test_a_snapshot_never_carries_the_ids_of_people() -> None:
    picture = AuctionSnapshot(
        auction=Auction(leader_id=LEADER_ID), recent_bids=[Bid(bidder_id=BIDDER_ID)]
    )
    body = serialised_snapshot(picture, Position(1, 1)).body
    assert LEADER_ID.encode() not in body
    assert BIDDER_ID.encode() not in body
