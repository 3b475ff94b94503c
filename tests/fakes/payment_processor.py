"""A payment processor in memory that keeps idempotency keys and can be made to fail."""

import asyncio
from dataclasses import replace
from typing import Any

from svc_payment.domain.deposits import Deposit, DepositState, ProcessorReport
from svc_payment.domain.errors import ProcessorUnavailable


class FakeProcessor:
    """The ``PaymentProcessor`` port.

    ``outcome`` is what the next new charge becomes; ``is_away`` fails every call before it has an
    effect, ``loses_answers`` after it; ``delay_s`` is how long a call takes.
    """

    def __init__(self) -> None:
        self.outcome = ProcessorReport(state=DepositState.SUCCEEDED)
        self.payments: dict[str, ProcessorReport] = {}
        self.call_count = 0
        self.last_deposit_id = ""
        self.is_away = False
        self.loses_answers = False
        self.delay_s = 0.0

    async def charge(self, deposit: Deposit) -> ProcessorReport:
        await self._enter(deposit)
        if deposit.deposit_id not in self.payments:
            self.payments[deposit.deposit_id] = replace(
                self.outcome, payment_id=f"pi_{deposit.deposit_id}", amount=deposit.amount
            )
        return self._leave(self.payments[deposit.deposit_id])

    async def find(self, deposit: Deposit) -> ProcessorReport | None:
        await self._enter(deposit)
        report = self.payments.get(deposit.deposit_id)
        return None if report is None else self._leave(report)

    def move(self, deposit_id: str, **changes: Any) -> ProcessorReport:
        """Change a payment at the processor, as a buyer's confirmation would."""
        payment = self.payments[deposit_id]
        payment = self.payments[deposit_id] = replace(payment, **changes)
        return payment

    async def _enter(self, deposit: Deposit) -> None:
        self.call_count += 1
        self.last_deposit_id = deposit.deposit_id
        await asyncio.sleep(self.delay_s)
        if self.is_away:
            raise ProcessorUnavailable

    def _leave(self, report: ProcessorReport) -> ProcessorReport:
        if self.loses_answers:
            raise ProcessorUnavailable
        return report
