"""A deposit's way through its states.

The processor's word reaches us as answers, webhooks and look-ups: late, twice, in any order. So the
states are ordered, PENDING < REQUIRES_ACTION < FAILED < SUCCEEDED, and a report only ever moves a
deposit up: whatever the order of arrival, the last state is the same. SUCCEEDED is above FAILED
because a payment whose first attempt failed can still succeed, never the other way round.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from kernel.money import Money
from svc_payment.domain.errors import (
    CardDeclined,
    PaymentContradictsDeposit,
    PaymentMethodUnknown,
    Refusal,
)

CHARGE_WINDOW_S = 3600.0
"""How long after its creation a deposit may be sent to the processor.

Stripe keeps idempotency keys for at least 24 hours; a charge sent after that would be a second one.
"""


class DepositState(StrEnum):
    """Where a deposit stands, in ascending order."""

    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    FAILED = "FAILED"
    SUCCEEDED = "SUCCEEDED"

    @property
    def rank(self) -> int:
        """The place in the order of states."""
        return tuple(DepositState).index(self)


class Failure(StrEnum):
    """Why a deposit failed."""

    DECLINED = "DECLINED"
    PAYMENT_METHOD_UNKNOWN = "PAYMENT_METHOD_UNKNOWN"
    CANCELLED = "CANCELLED"
    NEVER_SENT = "NEVER_SENT"


@dataclass(frozen=True, kw_only=True)
class ProcessorReport:
    """What the processor says about a deposit.

    ``payment_id`` is the processor's id and ``amount`` what it charges, empty and absent if it made
    no payment; ``client_secret`` lets the buyer confirm; ``failure_code`` is the processor's own
    word, for example ``insufficient_funds``.
    """

    state: DepositState
    payment_id: str = ""
    amount: Money | None = None
    client_secret: str = ""
    failure: Failure | None = None
    failure_code: str = ""


NEVER_SENT = ProcessorReport(state=DepositState.FAILED, failure=Failure.NEVER_SENT)
"""The report about a deposit that never reached the processor and is too old to be sent."""


@dataclass(frozen=True, kw_only=True)
class Deposit:
    """One payment into the wallet. ``age_s`` is how old it was when it was read."""

    deposit_id: str
    user_id: str
    amount: Money
    payment_method_id: str
    created_at: datetime
    age_s: float = 0.0
    state: DepositState = DepositState.PENDING
    payment_id: str = ""
    client_secret: str = ""
    failure: Failure | None = None
    failure_code: str = ""

    @property
    def is_decided(self) -> bool:
        """Whether the processor has said yes or no."""
        return self.state in {DepositState.FAILED, DepositState.SUCCEEDED}

    @property
    def may_be_sent(self) -> bool:
        """Whether charging it, once more if need be, cannot become a second charge."""
        return not self.payment_id and self.age_s < CHARGE_WINDOW_S

    def after(self, report: ProcessorReport) -> "Deposit":
        """Return the deposit after a report, moved up or unchanged.

        ``PaymentContradictsDeposit`` if the report is about another amount or a second payment.
        """
        if report.amount is not None and report.amount != self.amount:
            raise self._contradiction(report)
        if self.payment_id and report.payment_id and self.payment_id != report.payment_id:
            raise self._contradiction(report)
        known = replace(self, payment_id=self.payment_id or report.payment_id)
        if report.state.rank <= self.state.rank:
            return known
        waits_for_buyer = report.state is DepositState.REQUIRES_ACTION
        return replace(
            known,
            state=report.state,
            client_secret=report.client_secret if waits_for_buyer else "",
            failure=report.failure,
            failure_code=report.failure_code,
        )

    @property
    def refusal(self) -> Refusal | None:
        """The refusal that the processor's no amounts to, if it is one of the buyer's card."""
        if self.failure is Failure.DECLINED:
            return CardDeclined(decline_code=self.failure_code)
        if self.failure is Failure.PAYMENT_METHOD_UNKNOWN:
            return PaymentMethodUnknown()
        return None

    def _contradiction(self, report: ProcessorReport) -> PaymentContradictsDeposit:
        return PaymentContradictsDeposit(payment_id=report.payment_id, deposit_id=self.deposit_id)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The latest attempt to ask the processor about a deposit.

    ``number`` counts from 1, 0 means none yet; ``is_under_way`` ends at the latest with its lease;
    ``was_answered`` says whether the processor answered.
    """

    number: int = 0
    is_under_way: bool = False
    was_answered: bool = False
