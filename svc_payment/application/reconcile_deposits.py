"""Ask the processor about deposits that stay undecided: an answer or a webhook may be lost."""

from functools import partial

from svc_payment.application.create_deposit import ATTEMPT_LEASE_S
from svc_payment.application.ports import Ledger, LedgerTransaction, PaymentProcessor
from svc_payment.application.record_report import record_report
from svc_payment.domain.deposits import NEVER_SENT, Deposit, ProcessorReport
from svc_payment.domain.errors import PaymentContradictsDeposit, ProcessorUnavailable

BATCH_COUNT_MAX = 100


async def reconcile_deposits(
    *, ledger: Ledger, processor: PaymentProcessor, idle_s: float
) -> tuple[int, list[str]]:
    """Bring deposits that nobody asked about for ``idle_s`` on; charges nothing.

    Returns how many the processor answered for, and the ids of deposits that contradict what it
    says. A deposit that the processor does not know is left to a replay as long as one may charge
    it, and fails after that.
    """
    answered_count = 0
    contradicting: list[str] = []
    for deposit_id in await ledger.undecided_deposits(idle_s=idle_s, count_max=BATCH_COUNT_MAX):
        begun = await ledger.run(partial(_begin, deposit_id))
        if begun is None:
            continue
        deposit, number = begun
        report: ProcessorReport | None = None
        was_answered = False
        try:
            report = await processor.find(deposit)
            was_answered = report is not None
            if report is None and not deposit.may_be_sent:
                report = NEVER_SENT
            await ledger.run(partial(_conclude, deposit_id, number, report))
        except ProcessorUnavailable:
            await ledger.run(partial(_conclude, deposit_id, number, None))
        except PaymentContradictsDeposit:
            contradicting.append(deposit_id)
        answered_count += was_answered
    return answered_count, contradicting


async def _begin(deposit_id: str, transaction: LedgerTransaction) -> tuple[Deposit, int] | None:
    found = await transaction.lock_deposit(deposit_id)
    if found is None or found[0].is_decided or found[1].is_under_way:
        return None
    return found[0], await transaction.begin_attempt(deposit_id, lease_s=ATTEMPT_LEASE_S)


async def _conclude(
    deposit_id: str, number: int, report: ProcessorReport | None, transaction: LedgerTransaction
) -> None:
    found = await transaction.lock_deposit(deposit_id)
    if found is not None and report is not None:
        await record_report(transaction, found[0], report)
    await transaction.end_attempt(deposit_id, number, was_answered=report is not None)
