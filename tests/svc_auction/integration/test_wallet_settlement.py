"""What goes from a shard back to the wallet: idle power, and the price of what was won."""

from pathlib import Path

import pytest

from blytz.payment.v1.wallet_service_pb2_grpc import WalletServiceStub
from fakes.auction_books import bid_of, terms_of
from fakes.auction_shards import (
    ALIASES,
    auctions_on,
    audit,
    live_auction,
    power_of,
    shards_on,
)
from fakes.bank import Bank
from fakes.eventually import eventually
from fakes.mesh import channels_of
from fakes.wallet_grpc_service import FakeWallet
from kernel.ids import new_id
from kernel.money import Money
from servicekit.background import running
from servicekit.tls import MeshIdentity
from stack.ports import PortReservations
from svc_auction.application.close_auction import CloseAuction
from svc_auction.application.confirmations import Confirmations
from svc_auction.application.place_bid import PlaceBid
from svc_auction.domain.errors import InsufficientFunds
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure import wallet_power
from svc_auction.infrastructure.bid_lane import ShardLanes
from svc_auction.infrastructure.wallet_power import TransferState, WalletPower

FUNDED = terms_of(funding=Funding.WALLET_HOLD, seller_id=new_id())


def place_bid_with(bank: Bank) -> PlaceBid:
    return PlaceBid(
        lanes=ShardLanes(shards=bank.shards, aliases=ALIASES),
        power=bank.power,
        confirmations=Confirmations("a key"),
    )


async def test_idle_power_goes_home(bank: Bank, ada: str) -> None:
    await bank.top_up(ada, 10_00)
    assert await bank.power.return_idle(bank.shard, idle_after_s=60) == 0
    assert await bank.power.return_idle(bank.shard, idle_after_s=0) == 1
    assert await power_of(bank.shard, ada) == (0, 0)
    await bank.check_money(ada)
    bank.wallet.deaf = True
    await bank.power.carry_out(bank.shard)
    bank.wallet.deaf = False
    await bank.make_due()
    await bank.another.carry_out(bank.shard)
    assert bank.wallet.available[ada, "USD"] == 100_00
    assert bank.wallet.allotted[ada, 0, "USD"] == 0
    await bank.check_money(ada)


async def test_held_power_stays(bank: Bank, ada: str) -> None:
    auctions = auctions_on(bank.shards)
    auction_id = await live_auction(auctions, FUNDED)
    place = place_bid_with(bank)
    await place(bid_of(ada, 10_00, auction_id=auction_id))
    assert await bank.power.return_idle(bank.shard, idle_after_s=0) == 0
    assert await power_of(bank.shard, ada) == (40_00, 10_00)


async def test_a_bid_without_power_asks_the_wallet_once(bank: Bank, ada: str) -> None:
    auctions = auctions_on(bank.shards)
    auction_id = await live_auction(auctions, FUNDED)
    place = place_bid_with(bank)
    await place(bid_of(ada, 10_00, auction_id=auction_id))
    await place(bid_of(ada, 40_00, auction_id=auction_id))
    assert len(bank.wallet.calls) == 1
    await place(bid_of(ada, 100_00, auction_id=auction_id))
    assert len(bank.wallet.calls) == 2
    with pytest.raises(InsufficientFunds) as refused:
        await place(bid_of(ada, 100_01, auction_id=auction_id))
    assert refused.value.shortfall_minor == 1
    assert await power_of(bank.shard, ada) == (100_00, 100_00)
    await bank.check_money(ada)
    await audit(bank.shard, auctions, [auction_id])


async def test_a_win_is_settled_exactly_once(bank: Bank, ada: str) -> None:
    auctions = auctions_on(bank.shards)
    auction_id = await live_auction(auctions, FUNDED)
    place = place_bid_with(bank)
    bob = new_id()
    bank.wallet.available[bob, "USD"] = 100_00
    await place(bid_of(ada, 25_00, auction_id=auction_id))
    await place(bid_of(bob, 10_00, auction_id=auction_id))
    before_minor = bank.wallet.total_minor()
    await CloseAuction(auctions=auctions)(auction_id=auction_id, seller_id=FUNDED.seller_id)
    await bank.check_money(ada)
    bank.wallet.deaf = True
    await bank.power.carry_out(bank.shard)
    bank.wallet.deaf = False
    for power in (bank.power, bank.another, bank.power):
        await bank.make_due()
        await power.carry_out(bank.shard)
    assert bank.wallet.earned == {(FUNDED.seller_id, "USD"): 10_50}
    assert bank.wallet.total_minor() == before_minor
    settlements = {r.request_id for name, r in bank.wallet.calls if name == "SettleWin"}
    assert len(settlements) == 1
    assert await power_of(bank.shard, ada) == (100_00 - 10_50, 0)
    await bank.check_money(ada)


async def test_a_refused_settlement_is_never_dropped(bank: Bank, ada: str) -> None:
    auctions = auctions_on(bank.shards)
    auction_id = await live_auction(auctions, FUNDED)
    place = place_bid_with(bank)
    await place(bid_of(ada, 25_00, auction_id=auction_id))
    await CloseAuction(auctions=auctions)(auction_id=auction_id, seller_id=FUNDED.seller_id)
    bank.wallet.allotted[ada, 0, "USD"] = 0
    await bank.power.carry_out(bank.shard)
    assert (await bank.states())[-1] == (3, TransferState.OPEN, 1)


async def test_it_all_happens_by_itself(
    bank: Bank, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallet_power, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(wallet_power, "IDLE_AFTER_S", 0.0)
    await bank.top_up(ada, 10_00)
    async with running([bank.power.run, bank.another.run]):
        await eventually(lambda: bank.wallet.available[ada, "USD"] == 100_00)
    assert await power_of(bank.shard, ada) == (0, 0)
    # The loops may have been stopped between the answer and its record.
    await bank.make_due()
    await bank.power.carry_out(bank.shard)
    await bank.check_money(ada)


async def test_a_shard_that_is_away_does_not_hold_up_the_others_money(
    bank_url: str,
    wallet: tuple[FakeWallet, str],
    tls_folder: Path,
    port_reservations: PortReservations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wallet_power, "IDLE_AFTER_S", 0.0)
    nowhere = f"postgresql://auction:x@127.0.0.1:{port_reservations.take()}/auction"
    fake, address = wallet
    ada = new_id()
    fake.available[ada, "USD"] = 100_00
    identity = MeshIdentity.load(tls_folder / "auction")
    async with (
        shards_on({0: nowhere, 1: bank_url}) as shards,
        channels_of(identity, {"payment": address}) as channels,
    ):
        power = WalletPower(shards=shards, wallet=channels.stub(WalletServiceStub))
        await power.top_up(auction_id=new_id(shard=1), bidder_id=ada, shortfall=Money("USD", 10_00))
        assert fake.available[ada, "USD"] == 60_00
        async with running([power.run]):
            await eventually(lambda: fake.available[ada, "USD"] == 100_00)
