"""Money between the wallet and a shard: nothing is lost, nothing is there twice, whatever fails."""

import asyncio

import pytest

from fakes.auction_books import terms_of
from fakes.auction_shards import (
    power_of,
)
from fakes.bank import Bank
from kernel.errors import DependencyUnavailable
from kernel.ids import new_id
from svc_auction.domain.errors import InsufficientFunds
from svc_auction.domain.terms import Funding
from svc_auction.infrastructure.wallet_power import TransferState, WalletPower

FUNDED = terms_of(funding=Funding.WALLET_HOLD, seller_id=new_id())


@pytest.mark.parametrize(
    ("shortfall_minor", "allotted_minor"), [(10_00, 40_00), (30_00, 100_00), (100_00, 100_00)]
)
async def test_a_top_up_asks_for_more_and_takes_what_there_is(
    bank: Bank, ada: str, shortfall_minor: int, allotted_minor: int
) -> None:
    await bank.top_up(ada, shortfall_minor)
    assert await power_of(bank.shard, ada) == (allotted_minor, 0)
    await bank.check_money(ada)


async def test_power_is_added_to_what_is_there(bank: Bank, ada: str) -> None:
    await bank.top_up(ada, 10_00)
    await bank.top_up(ada, 10_00)
    assert await power_of(bank.shard, ada) == (80_00, 0)
    await bank.check_money(ada)


async def test_without_the_money_the_bidder_learns_what_is_missing(bank: Bank, ada: str) -> None:
    with pytest.raises(InsufficientFunds) as refused:
        await bank.top_up(ada, 130_00)
    assert refused.value.shortfall_minor == 30_00
    assert [state for _, state, _ in await bank.states()] == [TransferState.REFUSED]
    await bank.make_due()
    assert await bank.power.carry_out(bank.shard) == 0
    assert await power_of(bank.shard, ada) == (0, 0)
    assert bank.wallet.available[ada, "USD"] == 100_00


async def test_while_the_wallet_is_away_nothing_is_refused(bank: Bank, ada: str) -> None:
    bank.wallet.away = True
    with pytest.raises(DependencyUnavailable) as unknown:
        await bank.top_up(ada, 10_00)
    assert unknown.value.metadata == {"dependency": "wallet"}
    assert await bank.power.carry_out(bank.shard) == 0, "not yet: the call may be under way"
    await bank.make_due()
    assert await bank.power.carry_out(bank.shard) == 1
    assert [state for _, state, _ in await bank.states()] == [TransferState.OPEN]
    bank.wallet.away = False
    await bank.make_due()
    await bank.another.carry_out(bank.shard)
    assert await power_of(bank.shard, ada) == (40_00, 0)
    await bank.check_money(ada)


async def test_a_lost_answer_is_credited_once(bank: Bank, ada: str) -> None:
    bank.wallet.deaf = True
    with pytest.raises(DependencyUnavailable):
        await bank.top_up(ada, 10_00)
    bank.wallet.deaf = False
    for power in (bank.power, bank.another, bank.power):
        await bank.make_due()
        await power.carry_out(bank.shard)
    assert await power_of(bank.shard, ada) == (40_00, 0)
    assert len({request.request_id for _, request in bank.wallet.calls}) == 1
    await bank.check_money(ada)


async def test_a_crash_between_the_row_and_the_call_loses_nothing(
    bank: Bank, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(WalletPower, "_allot", crash)
        with pytest.raises(asyncio.CancelledError):
            await bank.top_up(ada, 10_00)
    assert bank.wallet.calls == []
    await bank.make_due()
    assert await bank.another.carry_out(bank.shard) == 1
    assert await power_of(bank.shard, ada) == (40_00, 0)
    await bank.check_money(ada)


async def test_a_crash_between_the_answer_and_the_credit_loses_nothing(
    bank: Bank, ada: str
) -> None:
    bank.wallet.deaf = True
    with pytest.raises(DependencyUnavailable):
        await bank.top_up(ada, 10_00)
    assert bank.wallet.allotted[ada, 0, "USD"] == 40_00
    assert await power_of(bank.shard, ada) == (0, 0)
    bank.wallet.deaf = False
    await bank.make_due()
    await asyncio.gather(bank.power.carry_out(bank.shard), bank.another.carry_out(bank.shard))
    assert await power_of(bank.shard, ada) == (40_00, 0)
    await bank.check_money(ada)


async def test_a_taken_over_allotment_that_is_refused_is_closed(bank: Bank) -> None:
    poor = new_id()
    bank.wallet.away = True
    with pytest.raises(DependencyUnavailable):
        await bank.top_up(poor, 10_00)
    bank.wallet.away = False
    await bank.make_due()
    assert await bank.power.carry_out(bank.shard) == 1
    assert [state for _, state, _ in await bank.states()] == [TransferState.REFUSED]
