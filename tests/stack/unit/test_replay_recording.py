from pathlib import Path

import pytest

from stack.failure import CommandFailed
from stack.replay.casting import cast
from stack.replay.recording import SAMPLE_PATH, read_recording

HEADER = "auction_id,item,bid_time_days,bidder,max_bid_usd,opening_bid_usd,final_price_usd\n"


def test_the_packaged_recording_is_whole() -> None:
    auctions = read_recording(SAMPLE_PATH)
    assert len(auctions) == 314
    assert sum(len(auction.bids) for auction in auctions) == 5_493
    for auction in auctions:
        times = [bid.at_s for bid in auction.bids]
        assert times == sorted(times)


@pytest.mark.parametrize(
    "line",
    ["1,Watch,0.5,ann,ten,1,2", "1,Watch,soon,ann,10,1,2", "1,Watch,0.5,ann,10.005,1,2", "1,Watch"],
)
def test_a_line_that_is_no_bid_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bids.csv"
    path.write_text(HEADER + "1,Watch,0.1,ann,5,1,2\n" + line + "\n")
    with pytest.raises(CommandFailed, match="line 3"):
        read_recording(path)


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bids.csv"
    path.write_text("auction_id,item\n1,Watch\n")
    with pytest.raises(CommandFailed, match="lacks the columns"):
        read_recording(path)
    with pytest.raises(CommandFailed, match="cannot be read"):
        read_recording(tmp_path / "nothing.csv")
    path.write_text(HEADER)
    with pytest.raises(CommandFailed, match="no auctions"):
        read_recording(path)


def test_bidders_of_one_auction_are_played_by_distinct_accounts() -> None:
    auctions = read_recording(SAMPLE_PATH)
    casting = cast(auctions)
    assert casting.accounts == max(len(auction.bidders) for auction in auctions) == 24
    bids_of_account = [0] * casting.accounts
    for auction in auctions:
        parts = casting.parts[auction.recorded_id]
        assert set(parts) == set(auction.bidders)
        assert len(set(parts.values())) == len(parts)
        for bid in auction.bids:
            bids_of_account[parts[bid.bidder]] += 1
    assert max(bids_of_account) < 1.2 * min(bids_of_account)


def test_accounts_are_funded_for_all_their_parts_at_once() -> None:
    auctions = read_recording(SAMPLE_PATH)
    needed_minor = cast(auctions).needed_minor(auctions)
    assert sum(needed_minor) == sum(sum(auction.bidders.values()) for auction in auctions)
