"""Transfers sum to zero, or they are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import new_id
from kernel.money import Money
from svc_payment.domain import transfers
from svc_payment.domain.accounts import (
    Account,
    AccountKind,
    available,
    bidding_power,
    pending_earnings,
    processor_clearing,
)
from svc_payment.domain.transfers import (
    Posting,
    Transfer,
    TransferKind,
    UnbalancedTransferError,
)

USER = new_id()
SELLER = new_id()


def transfer_of(*postings: Posting) -> Transfer:
    return Transfer(kind=TransferKind.DEPOSIT, cause_id=new_id(), postings=postings)


def test_each_movement_goes_from_source_to_target() -> None:
    amount = Money("USD", 700)
    deposit = transfers.deposit(deposit_id=new_id(), user_id=USER, amount=amount)
    lent = transfers.allotment(request_id=new_id(), user_id=USER, shard=7, amount=amount)
    back = transfers.bidding_power_return(
        request_id=new_id(), user_id=USER, shard=7, amount=Money("USD", 200)
    )
    paid = transfers.settlement(
        auction_id=new_id(),
        winner_id=USER,
        seller_id=SELLER,
        shard=7,
        hammer_price=Money("USD", 500),
    )
    assert transfers.balances_of([deposit, lent, back, paid]) == {
        processor_clearing("USD"): -700,
        available(USER, "USD"): 200,
        bidding_power(USER, 7, "USD"): 0,
        pending_earnings(SELLER, "USD"): 500,
    }


@given(st.lists(st.tuples(st.sampled_from(["USD", "EUR"]), st.integers(-5, 5)), max_size=6))
def test_what_does_not_sum_to_zero_per_currency_is_refused(parts: list[tuple[str, int]]) -> None:
    postings = [Posting(available(USER, code), amount_minor) for code, amount_minor in parts]
    sums = {
        code: sum(amount_minor for other, amount_minor in parts if other == code)
        for code in ("USD", "EUR")
    }
    is_sound = bool(parts) and all(amount for _, amount in parts) and not any(sums.values())
    if is_sound:
        transfer_of(*postings)
    else:
        with pytest.raises(UnbalancedTransferError):
            transfer_of(*postings)


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_nothing_moves_backwards(amount_minor: int) -> None:
    with pytest.raises(UnbalancedTransferError):
        transfers.deposit(deposit_id=new_id(), user_id=USER, amount=Money("USD", amount_minor))


def test_an_account_is_its_facts() -> None:
    assert available(USER, "USD").account_id == available(USER, "USD").account_id
    accounts = {
        account.account_id
        for account in (
            available(USER, "USD"),
            available(USER, "EUR"),
            available(SELLER, "USD"),
            pending_earnings(USER, "USD"),
            processor_clearing("USD"),
            *(bidding_power(USER, shard, "USD") for shard in range(256)),
        )
    }
    assert len(accounts) == 5 + 256


@pytest.mark.parametrize(
    ("kind", "owner_id", "shard"),
    [
        (AccountKind.AVAILABLE, None, None),
        (AccountKind.AVAILABLE, USER, 1),
        (AccountKind.BIDDING_POWER, USER, None),
        (AccountKind.PROCESSOR_CLEARING, USER, None),
    ],
)
def test_an_account_without_its_facts_is_refused(
    kind: AccountKind, owner_id: str | None, shard: int | None
) -> None:
    with pytest.raises(ValueError, match=kind):
        Account(kind=kind, owner_id=owner_id, shard=shard, currency_code="USD")
