"""Lend a person's money to an auction shard, where bids are funded from it without a call."""

from dataclasses import dataclass
from functools import partial

from kernel.money import Money
from svc_payment.application.ports import CommandKey, Ledger, LedgerTransaction, Reply
from svc_payment.domain import transfers
from svc_payment.domain.accounts import available, bidding_power
from svc_payment.domain.bidding_power import allottable


@dataclass(frozen=True, kw_only=True)
class AllotBiddingPower:
    """The wish for ``amount`` on a shard, of use from ``minimum`` on."""

    key: CommandKey
    user_id: str
    shard: int
    amount: Money
    minimum: Money


async def allot_bidding_power(command: AllotBiddingPower, *, ledger: Ledger) -> Reply:
    """Move what the balance allows to the shard and return it; ``InsufficientFunds`` otherwise."""
    return await ledger.once(command.key, partial(_allot, command))


async def _allot(command: AllotBiddingPower, transaction: LedgerTransaction) -> Money:
    currency_code = command.amount.currency_code
    source = available(command.user_id, currency_code)
    target = bidding_power(command.user_id, command.shard, currency_code)
    balances = await transaction.lock_balances((source, target))
    amount = allottable(available=balances[source], wished=command.amount, minimum=command.minimum)
    await transaction.post(
        transfers.allotment(
            request_id=command.key.request_id,
            user_id=command.user_id,
            shard=command.shard,
            amount=amount,
        )
    )
    return amount
