"""Give unused bidding power back to the person whose money it is."""

from dataclasses import dataclass
from functools import partial

from kernel.money import Money
from svc_payment.application.ports import CommandKey, Ledger, LedgerTransaction, Reply
from svc_payment.domain import transfers
from svc_payment.domain.accounts import available, bidding_power
from svc_payment.domain.bidding_power import require_allotted


@dataclass(frozen=True, kw_only=True)
class ReturnBiddingPower:
    """The return of ``amount`` from a shard."""

    key: CommandKey
    user_id: str
    shard: int
    amount: Money


async def return_bidding_power(command: ReturnBiddingPower, *, ledger: Ledger) -> Reply:
    """Move the amount back to the available balance; ``AllotmentTooSmall`` if it is not there."""
    return await ledger.once(command.key, partial(_return, command))


async def _return(command: ReturnBiddingPower, transaction: LedgerTransaction) -> None:
    currency_code = command.amount.currency_code
    source = bidding_power(command.user_id, command.shard, currency_code)
    target = available(command.user_id, currency_code)
    balances = await transaction.lock_balances((source, target))
    require_allotted(allotted=balances[source], needed=command.amount)
    await transaction.post(
        transfers.bidding_power_return(
            request_id=command.key.request_id,
            user_id=command.user_id,
            shard=command.shard,
            amount=command.amount,
        )
    )
