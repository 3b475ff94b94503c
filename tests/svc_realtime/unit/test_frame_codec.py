from blytz.realtime.v1.realtime_service_pb2 import WatchAuctionResponse
from fakes.auction_world import AuctionWorld
from svc_realtime.domain.position import Position
from svc_realtime.infrastructure.frame_codec import ProtobufFrameCodec

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
    world.schedule()
    world.start()
    for _ in range(60):
        world.bid()
    world.extend()
    world.bid()
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
