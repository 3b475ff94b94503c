"""Transfers of the double-entry ledger: each moves money between accounts and sums to zero."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from kernel.money import Money
from svc_payment.domain.accounts import (
    Account,
    available,
    bidding_power,
    pending_earnings,
    processor_clearing,
)


class UnbalancedTransferError(ValueError):
    """The postings of a transfer do not sum to zero in some currency."""


class TransferKind(StrEnum):
    """Why money moved."""

    DEPOSIT = "DEPOSIT"
    ALLOTMENT = "ALLOTMENT"
    RETURN = "RETURN"
    SETTLEMENT = "SETTLEMENT"


@dataclass(frozen=True, slots=True)
class Posting:
    """A change of one account's balance, in minor units of the account's currency; never zero."""

    account: Account
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A movement of money that sums to zero per currency.

    ``cause_id`` is what it was made for: the deposit, the auction, or the command's request id. The
    ledger takes one transfer per kind and cause.
    """

    kind: TransferKind
    cause_id: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        """Refuse a transfer that creates or destroys money."""
        sums_minor: dict[str, int] = defaultdict(int)
        for posting in self.postings:
            if posting.amount_minor == 0:
                raise UnbalancedTransferError(f"an empty posting on {posting.account}")
            sums_minor[posting.account.currency_code] += posting.amount_minor
        if not self.postings or any(sums_minor.values()):
            raise UnbalancedTransferError(f"{self.kind} of {self.cause_id} sums to {sums_minor}")

    @property
    def accounts(self) -> Iterator[Account]:
        """The accounts that it touches."""
        return (posting.account for posting in self.postings)


def deposit(*, deposit_id: str, user_id: str, amount: Money) -> Transfer:
    """Return the transfer that brings a paid deposit into the wallet."""
    return _move(
        TransferKind.DEPOSIT,
        cause_id=deposit_id,
        amount=amount,
        source=processor_clearing(amount.currency_code),
        target=available(user_id, amount.currency_code),
    )


def allotment(*, request_id: str, user_id: str, shard: int, amount: Money) -> Transfer:
    """Return the transfer that lends money to an auction shard."""
    return _move(
        TransferKind.ALLOTMENT,
        cause_id=request_id,
        amount=amount,
        source=available(user_id, amount.currency_code),
        target=bidding_power(user_id, shard, amount.currency_code),
    )


def bidding_power_return(*, request_id: str, user_id: str, shard: int, amount: Money) -> Transfer:
    """Return the transfer that gives unused bidding power back."""
    return _move(
        TransferKind.RETURN,
        cause_id=request_id,
        amount=amount,
        source=bidding_power(user_id, shard, amount.currency_code),
        target=available(user_id, amount.currency_code),
    )


def settlement(
    *, auction_id: str, winner_id: str, seller_id: str, shard: int, hammer_price: Money
) -> Transfer:
    """Return the transfer that pays a won auction to its seller."""
    return _move(
        TransferKind.SETTLEMENT,
        cause_id=auction_id,
        amount=hammer_price,
        source=bidding_power(winner_id, shard, hammer_price.currency_code),
        target=pending_earnings(seller_id, hammer_price.currency_code),
    )


def balances_of(transfers: Iterable[Transfer]) -> dict[Account, int]:
    """Return what every account holds after these transfers, in minor units."""
    balances_minor: dict[Account, int] = defaultdict(int)
    for transfer in transfers:
        for posting in transfer.postings:
            balances_minor[posting.account] += posting.amount_minor
    return dict(balances_minor)


def _move(
    kind: TransferKind, *, cause_id: str, amount: Money, source: Account, target: Account
) -> Transfer:
    if amount.amount_minor <= 0:
        raise UnbalancedTransferError(f"{kind} of {cause_id} moves {amount.amount_minor}")
    return Transfer(
        kind=kind,
        cause_id=cause_id,
        postings=(Posting(source, -amount.amount_minor), Posting(target, amount.amount_minor)),
    )
