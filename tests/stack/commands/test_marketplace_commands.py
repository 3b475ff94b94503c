"""The commands that talk through the gateway, on a whole mesh."""

import json
import stat
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from blytz.auction.v1.auction_pb2 import AuctionFormat, AuctionTerms, FundingPolicy
from blytz.common.v1.money_pb2 import Money
from blytz_client import Blytz
from fakes.running_mesh import RunningMesh
from stack.accounts import Accounts
from stack.cli import main
from stack.layout import Layout

Capture = pytest.CaptureFixture[str]


def run(mesh: RunningMesh, capsys: Capture, *arguments: str) -> tuple[int, Any]:
    """Run a command with --json; return its exit code and its object."""
    command, *rest = arguments
    code = main([command, "--json", "--data-dir", str(mesh.data_dir), *rest])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
async def auction_id(mesh: RunningMesh) -> str:
    """A live auction that ends in seconds."""
    async with Blytz(mesh.edge_url) as blytz:
        accounts = Accounts.of(Layout.at(mesh.data_dir))
        seller = await accounts.sign_in_seller(blytz, "test/seller", display_name="Shop")
        auction = await seller.create_auction(
            title="Braun T3 pocket radio, 1958",
            terms=AuctionTerms(
                format=AuctionFormat.AUCTION_FORMAT_ENGLISH,
                opening_price=Money(currency_code="USD", amount_minor=25_00),
                funding_policy=FundingPolicy.FUNDING_POLICY_WALLET_HOLD,
                confirm_above_factor=10,
            ),
        )
        ends_at = datetime.now(UTC) + timedelta(seconds=6)
        await seller.start_auction(auction.auction_id, ends_at=ends_at)
        return auction.auction_id


def test_a_bid_needs_money_and_leads_with_it(
    mesh: RunningMesh, capsys: Capture, auction_id: str
) -> None:
    code, refused = run(mesh, capsys, "bid", auction_id, "30", "--as", "Nobody")
    assert (code, refused["accepted"], refused["reason"]) == (1, False, "INSUFFICIENT_FUNDS")
    arguments = ("bid", auction_id, "30.00", "--as", "Ada", "--deposit", "50")
    code, placed = run(mesh, capsys, *arguments)
    assert (code, placed["accepted"], placed["leading"]) == (0, True, True)
    assert (placed["price_minor"], placed["currency_code"]) == (25_00, "USD")
    code, refused = run(mesh, capsys, "bid", auction_id, "25.50", "--as", "Ada")
    assert refused["reason"] == "MAXIMUM_NOT_RAISED"


def test_a_large_bid_needs_a_yes(mesh: RunningMesh, capsys: Capture, auction_id: str) -> None:
    arguments = ("bid", auction_id, "260", "--as", "Bea", "--deposit", "300")
    code, refused = run(mesh, capsys, *arguments)
    assert (code, refused["reason"]) == (1, "CONFIRM_LARGE_BID")
    assert refused["metadata"]["price_minor"] == "2500"
    code, placed = run(mesh, capsys, "bid", auction_id, "260", "--as", "Bea", "--yes")
    assert (code, placed["leading"], placed["won"]) == (0, True, False)


def test_a_watcher_follows_to_the_end(mesh: RunningMesh, capsys: Capture, auction_id: str) -> None:
    code = main(["watch", "--json", "--data-dir", str(mesh.data_dir), auction_id])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert lines[0]["snapshot"]["auction"]["title"] == "Braun T3 pocket radio, 1958"
    assert lines[-1]["updates"][-1]["end"]["outcome"] == "AUCTION_OUTCOME_NO_BIDS"


def test_a_watcher_in_the_terminal_sees_price_and_outcome(
    mesh: RunningMesh, capsys: Capture, auction_id: str
) -> None:
    assert main(["watch", "--data-dir", str(mesh.data_dir), auction_id]) == 0
    shown = capsys.readouterr().out
    assert "25.00 USD" in shown
    assert "nobody bid" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bid", "01a20516-1d31-7f5d-802f-5ce986e05e4d", "5"), "AUCTION_NOT_FOUND"),
        (("bid", "nothing", "5"), "INVALID_REQUEST"),
        (("watch", "01a20516-1d31-7f5d-802f-5ce986e05e4d"), "AUCTION_NOT_FOUND"),
        (("bid", "nothing", "5", "--email", "ann@people.example"), "go together"),
        (("replay", "nothing.csv"), "cannot be read"),
        (("replay", "--limit", "0"), "no auctions"),
        (("replay", "--speed", "0"), "above zero"),
        (("demo", "--auctions", "0"), "needs an auction"),
        (("doctor", "--shard-url", "seven"), "takes a number"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    mesh: RunningMesh, capsys: Capture, arguments: tuple[str, ...], said: str
) -> None:
    code, answer = run(mesh, capsys, *arguments)
    assert code == 1
    assert said in answer["error"]
    assert "\n" not in answer["error"]


@pytest.mark.parametrize("command", [("watch", "x"), ("replay",), ("demo",), ("doctor",)])
def test_without_a_stack_a_command_says_so(
    tmp_path: Any, capsys: Capture, command: tuple[str, ...]
) -> None:
    code = main([*command, "--data-dir", str(tmp_path), "--json"])
    assert code == 1
    assert "No stack runs in" in json.loads(capsys.readouterr().out)["error"]


def test_a_replay_is_exact_and_keeps_its_accounts(mesh: RunningMesh, capsys: Capture) -> None:
    code, first = run(mesh, capsys, "replay", "--limit", "12", "--watch")
    assert code == 0
    assert (first["auctions"], first["exact_with_reserve"]) == (12, 12)
    wrong = ("lost", "doubled", "disordered", "feed_gaps", "feed_duplicates")
    assert {first[name] for name in wrong} == {0}
    assert first["acknowledged"] >= first["bids"] - first["rejected"] - first["not_raised"]
    accounts_path = mesh.data_dir / "accounts.json"
    assert stat.S_IMODE(accounts_path.stat().st_mode) == 0o600
    known = accounts_path.read_text()
    code, again = run(mesh, capsys, "replay", "--limit", "12", "--no-reserves")
    assert code == 0
    assert again["exact"] == first["exact"]
    assert again["replayed_with_reserve"] == 0
    assert "feed_gaps" not in again
    assert accounts_path.read_text() == known


def test_a_replay_for_people_shows_both_prices(mesh: RunningMesh, capsys: Capture) -> None:
    assert main(["replay", "--data-dir", str(mesh.data_dir), "--limit", "2"]) == 0
    shown = capsys.readouterr().out
    assert "1638893549" in shown
    assert shown.count("177.50") >= 2


def test_the_demo_is_lively_and_the_doctor_finds_nothing(
    mesh: RunningMesh, capsys: Capture
) -> None:
    options = ("--seconds", "30", "--auctions", "5", "--bots", "8", "--auction-seconds", "10")
    code, happened = run(mesh, capsys, "demo", *options)
    assert code == 0
    assert happened["auctions_started"] >= 2
    assert happened["bids"] >= 5
    assert happened["deposits"] >= 5
    assert set(happened["refused"]) <= {
        *("BID_TOO_LOW", "AUCTION_ENDED", "MAXIMUM_NOT_RAISED", "INSUFFICIENT_FUNDS"),
        "BUY_NOW_UNAVAILABLE",
    }
    code, examined = run(mesh, capsys, "doctor")
    assert (code, examined) == (0, {"violations": []})


def test_the_doctor_says_what_it_checked(mesh: RunningMesh, capsys: Capture) -> None:
    assert main(["doctor", "--data-dir", str(mesh.data_dir)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("✓") >= 25
    assert "✗" not in shown
