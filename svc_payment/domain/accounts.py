"""The accounts of the ledger: who owns money, of which kind, in which currency."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f1d7c1e-52a4-5d0c-9f6b-0d0c7c0b6a11")


class AccountKind(StrEnum):
    """What the money on an account may be used for."""

    AVAILABLE = "AVAILABLE"
    """A person's money that can be spent or withdrawn."""
    BIDDING_POWER = "BIDDING_POWER"
    """A person's money that is lent to one auction shard."""
    PENDING_EARNINGS = "PENDING_EARNINGS"
    """What a seller has earned and cannot withdraw yet."""
    PROCESSOR_CLEARING = "PROCESSOR_CLEARING"
    """The outside world: what came in through the processor stands here as a negative balance."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account; its facts are its identity, so two equal accounts are the same account.

    ``owner_id`` is a user's id, absent for the outside world; ``shard`` is set for bidding power.
    """

    kind: AccountKind
    currency_code: str
    owner_id: str | None = None
    shard: int | None = None

    def __post_init__(self) -> None:
        """Refuse an account that lacks its owner or shard, or has one too many."""
        if (self.owner_id is None) is not (self.kind is AccountKind.PROCESSOR_CLEARING):
            raise ValueError(f"{self.kind} with owner {self.owner_id}")
        if (self.shard is None) is not (self.kind is not AccountKind.BIDDING_POWER):
            raise ValueError(f"{self.kind} with shard {self.shard}")

    @cached_property
    def account_id(self) -> str:
        """The id, a UUIDv5 of the account's facts: nobody needs to look it up."""
        shard = "" if self.shard is None else str(self.shard)
        name = ":".join((self.kind, self.owner_id or "", shard, self.currency_code))
        return str(uuid5(_NAMESPACE, name))


def available(user_id: str, currency_code: str) -> Account:
    """Return the account of what a person can spend."""
    return Account(kind=AccountKind.AVAILABLE, owner_id=user_id, currency_code=currency_code)


def bidding_power(user_id: str, shard: int, currency_code: str) -> Account:
    """Return the account of what a person has lent to an auction shard."""
    return Account(
        kind=AccountKind.BIDDING_POWER,
        owner_id=user_id,
        shard=shard,
        currency_code=currency_code,
    )


def pending_earnings(seller_id: str, currency_code: str) -> Account:
    """Return the account of what a seller has earned."""
    return Account(
        kind=AccountKind.PENDING_EARNINGS, owner_id=seller_id, currency_code=currency_code
    )


def processor_clearing(currency_code: str) -> Account:
    """Return the account of the outside world, the only one that may be negative."""
    return Account(kind=AccountKind.PROCESSOR_CLEARING, currency_code=currency_code)
