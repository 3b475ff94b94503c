"""What the use cases need from outside: the ledger's database and the payment processor."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from kernel.money import Money
from svc_payment.domain.accounts import Account
from svc_payment.domain.deposits import Attempt, Deposit, ProcessorReport
from svc_payment.domain.errors import Refusal
from svc_payment.domain.transfers import Transfer

Answer = Deposit | Money | None
"""What a command can answer, beside a refusal."""

Reply = bytes
"""An answer as the caller gets it, encoded once: a replay gets the same bytes."""

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class CommandKey:
    """What makes a command the same command: who sends it, which method, under which request id.

    ``principal`` is a user's id or a workload's name; ``body_hash`` is 32 bytes over the request.
    """

    principal: str
    method: str
    request_id: str
    body_hash: bytes


@dataclass(frozen=True, kw_only=True)
class NewDeposit:
    """A deposit as it is asked for; ``deposit_id`` is used if the command is new."""

    deposit_id: str
    user_id: str
    amount: Money
    payment_method_id: str


@dataclass(frozen=True, kw_only=True)
class Balances:
    """What a person has in one currency; ``bidding_power`` is the sum over all shards."""

    available: Money
    bidding_power: Money
    pending_earnings: Money


@dataclass(frozen=True, kw_only=True)
class StripeEvent:
    """A verified event: its id, its type, and what it says about which deposit."""

    event_id: str
    event_type: str
    deposit_id: str
    report: ProcessorReport


class LedgerTransaction(Protocol):
    """One transaction on the ledger. Everything in it is committed together or not at all."""

    async def lock_balances(self, accounts: Iterable[Account]) -> Mapping[Account, Money]:
        """Open the accounts that do not exist, lock all in id order, return their balances."""

    async def post(self, transfer: Transfer) -> None:
        """Append a transfer; its accounts must be locked."""

    async def record_settlement(
        self, *, auction_id: str, winner_id: str, seller_id: str, shard: int, hammer_price: Money
    ) -> None:
        """Note that an auction is paid; ``AuctionSettled`` if it was before."""

    async def first_reply(self, key: CommandKey) -> Reply | Refusal | None:
        """Return the final answer of a CreateDeposit, or None if it gave none yet.

        ``RequestIdReused`` if the body differs.
        """

    async def remember(self, key: CommandKey, answer: Deposit | Refusal) -> Reply | Refusal:
        """Store the final answer of a CreateDeposit unless there is one; return the stored one."""

    async def open_deposit(self, key: CommandKey, new: NewDeposit) -> tuple[Deposit, Attempt]:
        """Insert the deposit unless the command did so before; lock and return it.

        ``RequestIdReused`` if the command was sent before with another body.
        """

    async def lock_deposit(self, deposit_id: str) -> tuple[Deposit, Attempt] | None:
        """Lock and return a deposit, None if there is no such deposit."""

    async def save_deposit(self, deposit: Deposit) -> None:
        """Write a locked deposit's state back."""

    async def begin_attempt(self, deposit_id: str, *, lease_s: float) -> int:
        """Count an attempt to ask the processor and return its number.

        It is under way until it ends or its lease is over.
        """

    async def end_attempt(self, deposit_id: str, number: int, *, was_answered: bool) -> None:
        """Note how an attempt ended; without effect if a later one has begun."""

    async def record_stripe_event(self, event: StripeEvent) -> bool:
        """Note that an event was taken; False if it was before."""

    async def publish_payment(self, deposit: Deposit) -> None:
        """Queue ``payment.ok`` for the other services, to go out after the commit."""


class Ledger(Protocol):
    """The ledger's database. Work may run more than once: after a deadlock it starts anew."""

    async def run(self, work: Callable[[LedgerTransaction], Awaitable[Result]]) -> Result:
        """Run work in one transaction; commit if it returns, roll back if it raises."""

    async def once(
        self,
        key: CommandKey,
        work: Callable[[LedgerTransaction], Awaitable[Answer]],
    ) -> Reply:
        """Run a command's work at most once, and give every replay the first answer.

        A refusal is an answer too. ``RequestIdReused`` if the body differs. Replays that come while
        the first is under way wait for it.
        """

    def encode(self, answer: Answer) -> Reply:
        """Return an answer as the caller gets it."""

    async def balances(self, user_id: str) -> Sequence[Balances]:
        """Return a person's balances, ordered by currency code."""

    async def undecided_deposits(self, *, idle_s: float, count_max: int) -> Sequence[str]:
        """Return ids of undecided deposits that nobody asked about for ``idle_s``.

        The older a deposit is, the less often: each time a tenth of its age must have passed.
        """


class PaymentProcessor(Protocol):
    """The card processor. ``ProcessorUnavailable`` means that the outcome is not known."""

    async def charge(self, deposit: Deposit) -> ProcessorReport:
        """Charge the payment method; the deposit's id is the idempotency key."""

    async def find(self, deposit: Deposit) -> ProcessorReport | None:
        """Return what became of a deposit, None if the processor knows none; charges nothing."""
