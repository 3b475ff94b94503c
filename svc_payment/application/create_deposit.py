"""Charge a payment method and credit the wallet.

The deposit is committed before the processor is called, and no transaction is open during the call.
So a crash at any point leaves a deposit that a replay, a webhook or the reconciler brings to its
end, and the processor's idempotency key, the deposit's id, keeps it to one charge.
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from svc_payment.application.ports import (
    CommandKey,
    Ledger,
    LedgerTransaction,
    NewDeposit,
    PaymentProcessor,
    Reply,
)
from svc_payment.application.record_report import record_report
from svc_payment.domain.currencies import Currencies
from svc_payment.domain.deposits import NEVER_SENT, Attempt, Deposit, ProcessorReport
from svc_payment.domain.errors import ProcessorUnavailable, Refusal

ATTEMPT_LEASE_S = 12.0
"""Longer than the processor's time limit: an attempt that still runs then has lost its process."""

_POLL_FIRST_S = 0.02
_POLL_MAX_S = 0.25


@dataclass(frozen=True, kw_only=True)
class CreateDeposit:
    """The command; the deposit's id in ``new`` is used if the command was never seen."""

    key: CommandKey
    new: NewDeposit


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """How a call finds its deposit: with a final answer, or at an attempt, its own or another's."""

    deposit: Deposit
    attempt: Attempt
    final: Reply | Refusal | None = None
    own_number: int = 0


async def create_deposit(
    command: CreateDeposit,
    *,
    ledger: Ledger,
    processor: PaymentProcessor,
    currencies: Currencies,
) -> Reply:
    """Return the deposit as it stands after the processor was asked.

    What a replay gets: as long as no answer was final, a replay continues the deposit (it asks the
    processor again, under the same idempotency key) and gets its state now, PENDING or
    REQUIRES_ACTION, or fails with ``ProcessorUnavailable`` again. The first answer that finds the
    deposit decided (SUCCEEDED, FAILED, ``CardDeclined``, ``PaymentMethodUnknown``) is stored in the
    same transaction, and every later replay gets that answer byte for byte, whatever webhooks say
    afterwards. Duplicates that arrive during a call share its outcome. Another body under the same
    request id raises ``RequestIdReused``; ``CurrencyNotSupported`` comes before all of this.
    """
    currencies.require(command.new.amount)
    joined_number = 0
    poll_s = _POLL_FIRST_S
    while True:
        entry = await ledger.run(partial(_enter, command, joined_number))
        if entry.final is not None:
            return _given(entry.final)
        if entry.own_number:
            return await _attempt(command.key, entry, ledger=ledger, processor=processor)
        if not entry.attempt.is_under_way:
            if entry.attempt.was_answered:
                return ledger.encode(entry.deposit)
            raise ProcessorUnavailable(retry_after_s=1.0)
        joined_number = entry.attempt.number
        await asyncio.sleep(poll_s)
        poll_s = min(2 * poll_s, _POLL_MAX_S)


async def _enter(
    command: CreateDeposit, joined_number: int, transaction: LedgerTransaction
) -> _Entry:
    """Find or open the deposit, and begin an attempt unless one is under way or was joined."""
    final = await transaction.first_reply(command.key)
    deposit, attempt = await transaction.open_deposit(command.key, command.new)
    if final is None and deposit.is_decided:
        final = await transaction.remember(command.key, deposit.refusal or deposit)
    has_joined = 0 < joined_number <= attempt.number
    if final is not None or attempt.is_under_way or has_joined:
        return _Entry(deposit=deposit, attempt=attempt, final=final)
    number = await transaction.begin_attempt(deposit.deposit_id, lease_s=ATTEMPT_LEASE_S)
    return _Entry(deposit=deposit, attempt=attempt, own_number=number)


async def _attempt(
    key: CommandKey, entry: _Entry, *, ledger: Ledger, processor: PaymentProcessor
) -> Reply:
    """Ask the processor, outside any transaction, and write down what it says."""
    deposit_id, number = entry.deposit.deposit_id, entry.own_number
    try:
        report = await _ask(processor, entry.deposit, is_first=number == 1)
        outcome = await ledger.run(partial(_conclude, key, deposit_id, number, report))
    except BaseException:
        # Shielded: a caller that hangs up must not make the next one wait for the lease.
        await asyncio.shield(ledger.run(partial(_abandon, deposit_id, number)))
        raise
    return ledger.encode(outcome) if isinstance(outcome, Deposit) else _given(outcome)


async def _ask(processor: PaymentProcessor, deposit: Deposit, *, is_first: bool) -> ProcessorReport:
    # A later attempt looks before it charges: Stripe repeats the first answer to a key for a day,
    # a 500 as well, although there may be a payment by now.
    if not is_first or not deposit.may_be_sent:
        report = await processor.find(deposit)
        if report is not None:
            return report
    return await processor.charge(deposit) if deposit.may_be_sent else NEVER_SENT


async def _conclude(
    key: CommandKey,
    deposit_id: str,
    number: int,
    report: ProcessorReport,
    transaction: LedgerTransaction,
) -> Deposit | Reply | Refusal:
    found = await transaction.lock_deposit(deposit_id)
    if found is None:
        raise LookupError(f"deposit {deposit_id} is gone")
    deposit = await record_report(transaction, found[0], report)
    await transaction.end_attempt(deposit_id, number, was_answered=True)
    if not deposit.is_decided:
        return deposit
    return await transaction.remember(key, deposit.refusal or deposit)


async def _abandon(deposit_id: str, number: int, transaction: LedgerTransaction) -> None:
    await transaction.end_attempt(deposit_id, number, was_answered=False)


def _given(final: Reply | Refusal) -> Reply:
    if isinstance(final, Refusal):
        raise final
    return final
