"""Write down what the processor says about a deposit, and credit it when it is paid.

Answers, webhooks and look-ups all end here, so that each has the same effect whichever comes first.
"""

from svc_payment.application.ports import LedgerTransaction
from svc_payment.domain import transfers
from svc_payment.domain.deposits import Deposit, DepositState, ProcessorReport


async def record_report(
    transaction: LedgerTransaction, deposit: Deposit, report: ProcessorReport
) -> Deposit:
    """Move a locked deposit on and return it; money and ``payment.ok`` follow its success once."""
    after = deposit.after(report)
    if after == deposit:
        return deposit
    await transaction.save_deposit(after)
    is_paid_now = after.state is DepositState.SUCCEEDED
    if is_paid_now and deposit.state is not DepositState.SUCCEEDED:
        transfer = transfers.deposit(
            deposit_id=deposit.deposit_id, user_id=deposit.user_id, amount=deposit.amount
        )
        await transaction.lock_balances(transfer.accounts)
        await transaction.post(transfer)
        await transaction.publish_payment(after)
    return after
