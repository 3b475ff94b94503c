import pytest

from fakes.auction_world import AuctionWorld
from svc_realtime.domain.auction_log import AuctionLog, Fit, Verdict
from svc_realtime.domain.history import HistoryLimits
from svc_realtime.infrastructure.frame_codec import ProtobufFrameCodec

CODEC = ProtobufFrameCodec()


def log_of(limits: HistoryLimits | None = None) -> AuctionLog:
    return AuctionLog(limits=limits or HistoryLimits(), fold=CODEC.fold)


def test_the_first_event_starts_the_log_wherever_it_stands() -> None:
    world = AuctionWorld().live(bids=5)
    log = log_of()
    assert not log.started
    assert log.append(world.change(5)) is Verdict.BREAK
    assert (log.epoch, log.base, log.last) == (1, 4, 5)
    assert log.append(world.change(6)) is Verdict.NEXT


def test_what_is_known_is_dropped() -> None:
    world = AuctionWorld().live(bids=5)
    log = log_of()
    for change in world.changes(2, 6):
        log.append(change)
    assert log.append(world.change(6)) is Verdict.KNOWN
    assert log.append(world.change(3)) is Verdict.KNOWN
    assert log.last == 6


def test_a_gap_starts_over_without_a_snapshot() -> None:
    world = AuctionWorld().live(bids=5)
    log = log_of()
    log.adopt(world.snapshot(3))
    assert log.append(world.change(6)) is Verdict.BREAK
    assert not log.has_snapshot
    assert (log.base, log.last) == (5, 6)
    assert log.between(3, 6) is None


def test_a_new_epoch_starts_over_and_the_old_one_is_dropped() -> None:
    old, new = AuctionWorld().live(bids=8), AuctionWorld(epoch=2).live(bids=4)
    log = log_of()
    log.adopt(old.snapshot())
    assert log.append(new.change(5)) is Verdict.BREAK
    assert (log.epoch, log.base, log.last) == (2, 4, 5)
    assert log.append(old.bid() and old.change(old.last)) is Verdict.KNOWN


def test_snapshots_fit_are_stale_or_ahead() -> None:
    world = AuctionWorld().live(bids=10)
    log = log_of()
    for change in world.changes(4, 8):
        log.append(change)
    assert log.fit(world.snapshot(3)) is Fit.STALE
    assert log.fit(world.snapshot(4)) is Fit.FITS
    assert log.fit(world.snapshot(8)) is Fit.FITS
    assert log.fit(world.snapshot(9)) is Fit.AHEAD
    with pytest.raises(ValueError, match="older than the history"):
        log.adopt(world.snapshot(3))


def test_a_snapshot_is_folded_to_any_later_event() -> None:
    world = AuctionWorld().live(bids=10)
    log = log_of()
    for change in world.changes(3):
        log.append(change)
    log.adopt(world.snapshot(3))
    for sequence in (3, 5, 9, 12):
        snapshot = log.snapshot_at(sequence)
        assert snapshot == world.snapshot(sequence)
    assert log.snapshot_at(5) is None, "a snapshot does not go back"


def test_the_snapshot_keeps_up_with_a_history_that_forgets() -> None:
    world = AuctionWorld().live()
    log = log_of(HistoryLimits(updates_max=8))
    log.adopt(world.snapshot())
    for _ in range(100):
        world.bid()
        log.append(world.change(world.last))
        log.settle()
        assert log.has_snapshot
    assert log.last - log.base == 8
    assert log.snapshot_at(log.last) == world.snapshot()


def test_a_snapshot_whose_updates_are_gone_is_forgotten() -> None:
    world = AuctionWorld().live()
    log = log_of(HistoryLimits(updates_max=4))
    log.adopt(world.snapshot())
    for _ in range(6):
        world.bid()
        log.append(world.change(world.last))
    assert log.snapshot_at(log.last) is None
    assert not log.has_snapshot
