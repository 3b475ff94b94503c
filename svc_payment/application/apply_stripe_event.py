"""Take an event of the processor's, once."""

from functools import partial

from svc_payment.application.ports import Ledger, LedgerTransaction, StripeEvent
from svc_payment.application.record_report import record_report


async def apply_stripe_event(event: StripeEvent, *, ledger: Ledger) -> bool:
    """Move the event's deposit on; return whether the event was new and about a deposit of ours.

    ``PaymentContradictsDeposit`` if it speaks of another amount: nothing is written then, and the
    processor sends it again until a person has looked.
    """
    return await ledger.run(partial(_apply, event))


async def _apply(event: StripeEvent, transaction: LedgerTransaction) -> bool:
    found = await transaction.lock_deposit(event.deposit_id)
    if found is None or not await transaction.record_stripe_event(event):
        return False
    deposit, _ = found
    await record_report(transaction, deposit, event.report)
    return True
