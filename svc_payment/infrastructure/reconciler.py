"""The loop that asks the processor about deposits that stay undecided."""

import asyncio

import structlog

from svc_payment.application.ports import Ledger, PaymentProcessor
from svc_payment.application.reconcile_deposits import reconcile_deposits

log = structlog.get_logger(__name__)


class Reconciler:
    """Reconciles every ``reconcile_after_s`` / 2. Replicas may run it at once: attempts exclude."""

    def __init__(
        self, *, ledger: Ledger, processor: PaymentProcessor, reconcile_after_s: float
    ) -> None:
        self._ledger = ledger
        self._processor = processor
        self._reconcile_after_s = reconcile_after_s

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await asyncio.sleep(self._reconcile_after_s / 2)
            answered_count, contradicting = await reconcile_deposits(
                ledger=self._ledger, processor=self._processor, idle_s=self._reconcile_after_s
            )
            if answered_count:
                log.info("deposits_reconciled", answered=answered_count)
            for deposit_id in contradicting:
                log.error("deposit_contradicted", deposit=deposit_id)
