"""The replay's own checkers, fed with what must not happen: each of them notices."""

import pytest

from blytz.auction.v1.auction_pb2 import Auction, AuctionState, Bid
from blytz.common.v1.money_pb2 import Money
from blytz.common.v1.position_pb2 import Position
from blytz.realtime.v1.realtime_service_pb2 import (
    AuctionSnapshot,
    AuctionUpdate,
    EndUpdate,
    WatchAuctionResponse,
)
from stack.replay.evidence import Acknowledgement, Findings, examine_bids
from stack.replay.feed_witness import FeedRecord

ACKNOWLEDGED = [Acknowledgement(f"request {n}", f"bid {n}", n, 100 * n) for n in range(3, 8)]


def listed(*numbers: int) -> list[Bid]:
    return [
        Bid(bid_id=f"bid {n}", sequence=n, price=Money(currency_code="USD", amount_minor=100 * n))
        for n in numbers
    ]


def test_bids_that_are_as_they_were_acknowledged_are_sound() -> None:
    assert examine_bids(ACKNOWLEDGED, listed(3, 4, 5, 6, 7)) == Findings()
    assert examine_bids([], []).sound


@pytest.mark.parametrize(
    ("bids", "expected"),
    [
        (listed(3, 4, 6, 7), Findings(lost=1)),
        (listed(), Findings(lost=5)),
        (listed(3, 4, 5, 6, 7, 8), Findings(doubled=1)),
        (listed(3, 4, 4, 5, 6, 7), Findings(doubled=1)),
        ([*listed(3, 4, 5, 6), Bid(bid_id="bid 7", sequence=7)], Findings(lost=1, doubled=1)),
    ],
)
def test_a_lost_a_doubled_and_a_changed_bid_are_noticed(
    bids: list[Bid], expected: Findings
) -> None:
    found = examine_bids(ACKNOWLEDGED, bids)
    assert found == expected
    assert not found.sound


def test_two_requests_that_got_the_same_bid_are_noticed() -> None:
    twice = [*ACKNOWLEDGED, Acknowledgement("request 8", "bid 7", 7, 700)]
    assert examine_bids(twice, listed(3, 4, 5, 6, 7)) == Findings(doubled=1, disordered=1)


def test_bids_out_of_their_order_are_noticed() -> None:
    assert examine_bids(ACKNOWLEDGED[::-1], listed(3, 4, 5, 6, 7)) == Findings(disordered=4)


def snapshot(sequence: int, *, epoch: int = 1) -> WatchAuctionResponse:
    auction = Auction(state=AuctionState.AUCTION_STATE_LIVE)
    return WatchAuctionResponse(
        position=Position(epoch=epoch, sequence=sequence),
        snapshot=AuctionSnapshot(auction=auction),
    )


def updates(*sequences: int) -> WatchAuctionResponse:
    return WatchAuctionResponse(
        position=Position(epoch=1, sequence=sequences[-1]),
        updates=[AuctionUpdate(sequence=sequence) for sequence in sequences],
    )


def record_of(*frames: WatchAuctionResponse, last_sequence: int) -> FeedRecord:
    record = FeedRecord()
    for frame in frames:
        record.note(frame)
    record.finish(last_sequence)
    return record


def test_a_feed_that_shows_each_sequence_once_is_sound() -> None:
    record = record_of(snapshot(2), updates(3, 4), updates(5), last_sequence=5)
    assert record.findings == Findings()
    assert (record.snapshots, record.ended) == (1, False)


def test_a_snapshot_stands_for_what_came_before_it() -> None:
    record = record_of(snapshot(2), updates(3), snapshot(7), updates(8), last_sequence=8)
    assert record.findings == Findings()
    assert record.snapshots == 2
    restored = record_of(snapshot(9), snapshot(4, epoch=2), last_sequence=4)
    assert restored.findings == Findings()


@pytest.mark.parametrize(
    ("frames", "last_sequence", "expected"),
    [
        ([snapshot(2), updates(3, 5)], 5, Findings(feed_gaps=1)),
        ([snapshot(2), updates(5)], 5, Findings(feed_gaps=2)),
        ([snapshot(2), updates(3)], 5, Findings(feed_gaps=2)),
        ([snapshot(2), updates(3), updates(3, 4)], 4, Findings(feed_duplicates=1)),
        ([snapshot(5), snapshot(3), updates(4, 5)], 5, Findings(feed_duplicates=1)),
        ([updates(3)], 3, Findings(feed_gaps=1)),
        ([], 2, Findings(feed_gaps=2)),
    ],
)
def test_a_gap_and_a_repetition_are_noticed(
    frames: list[WatchAuctionResponse], last_sequence: int, expected: Findings
) -> None:
    assert record_of(*frames, last_sequence=last_sequence).findings == expected


def test_the_end_is_seen() -> None:
    ended = WatchAuctionResponse(
        position=Position(epoch=1, sequence=3),
        updates=[AuctionUpdate(sequence=3, end=EndUpdate())],
    )
    assert record_of(snapshot(2), ended, last_sequence=3).ended


def test_findings_add_up() -> None:
    total = Findings(lost=1)
    total.add(Findings(lost=2, feed_gaps=3))
    assert total == Findings(lost=3, feed_gaps=3)
