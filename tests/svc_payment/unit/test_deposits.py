"""Whatever the order in which the processor's word arrives, a deposit ends in the same state."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import new_id
from kernel.money import Money
from svc_payment.domain.deposits import (
    CHARGE_WINDOW_S,
    Deposit,
    DepositState,
    Failure,
    ProcessorReport,
)
from svc_payment.domain.errors import (
    CardDeclined,
    PaymentContradictsDeposit,
    PaymentMethodUnknown,
)

DEPOSIT = Deposit(
    deposit_id=new_id(),
    user_id=new_id(),
    amount=Money("USD", 500),
    payment_method_id="pm_card_visa",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def report_of(state: DepositState) -> ProcessorReport:
    return ProcessorReport(
        state=state,
        payment_id="pi_1",
        amount=DEPOSIT.amount,
        client_secret="pi_1_secret",
        failure=Failure.DECLINED if state is DepositState.FAILED else None,
        failure_code="insufficient_funds" if state is DepositState.FAILED else "",
    )


reports = st.lists(st.sampled_from(DepositState).map(report_of), min_size=1, max_size=8)


@given(reports.flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
def test_reordered_and_repeated_reports_lead_to_the_same_state(
    orders: tuple[list[ProcessorReport], list[ProcessorReport]],
) -> None:
    made, shuffled = orders
    straight = reduce(Deposit.after, made, DEPOSIT)
    assert reduce(Deposit.after, shuffled, DEPOSIT) == straight
    assert reduce(Deposit.after, [*made, *shuffled], DEPOSIT) == straight
    assert straight.state is max((r.state for r in made), key=lambda state: state.rank)


@given(reports)
def test_a_deposit_never_goes_back(made: list[ProcessorReport]) -> None:
    deposit = DEPOSIT
    for report in made:
        moved = deposit.after(report)
        assert moved.state.rank >= deposit.state.rank
        assert bool(moved.client_secret) is (moved.state is DepositState.REQUIRES_ACTION)
        assert bool(moved.failure) is (moved.state is DepositState.FAILED)
        deposit = moved


def test_a_report_about_other_money_is_a_contradiction() -> None:
    wrong = replace(report_of(DepositState.SUCCEEDED), amount=Money("USD", 501))
    with pytest.raises(PaymentContradictsDeposit):
        DEPOSIT.after(wrong)
    known = DEPOSIT.after(report_of(DepositState.PENDING))
    with pytest.raises(PaymentContradictsDeposit):
        known.after(replace(report_of(DepositState.SUCCEEDED), payment_id="pi_2"))


def test_refusals() -> None:
    declined = DEPOSIT.after(report_of(DepositState.FAILED))
    assert isinstance(declined.refusal, CardDeclined)
    assert declined.refusal.metadata == {"decline_code": "insufficient_funds"}
    unknown = replace(declined, failure=Failure.PAYMENT_METHOD_UNKNOWN)
    assert isinstance(unknown.refusal, PaymentMethodUnknown)
    assert replace(declined, failure=Failure.CANCELLED).refusal is None
    assert DEPOSIT.refusal is None


def test_a_deposit_is_sent_only_while_its_key_is_kept() -> None:
    assert DEPOSIT.may_be_sent
    assert not replace(DEPOSIT, age_s=CHARGE_WINDOW_S).may_be_sent
    assert not replace(DEPOSIT, payment_id="pi_1").may_be_sent
