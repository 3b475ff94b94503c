"""The wallet's ledger in memory: one transaction at a time, undone by restoring a copy."""

import asyncio
import copy
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from kernel.money import Money
from servicekit.errors import RequestIdReused
from svc_payment.application.ports import (
    Answer,
    Balances,
    CommandKey,
    LedgerTransaction,
    NewDeposit,
    Reply,
    Result,
    StripeEvent,
)
from svc_payment.domain.accounts import Account, AccountKind
from svc_payment.domain.deposits import Attempt, Deposit
from svc_payment.domain.errors import AuctionSettled, Refusal
from svc_payment.domain.transfers import Transfer, balances_of
from svc_payment.infrastructure.proto_mapping import encode_answer

KeyFacts = tuple[str, str, str]


@dataclass
class DepositRow:
    deposit: Deposit
    key: CommandKey
    asked_at: datetime
    attempt_number: int = 0
    attempt_expires_at: datetime | None = None
    was_answered: bool = False


@dataclass
class LedgerState:
    transfers: list[Transfer] = field(default_factory=list)
    settled_auctions: set[str] = field(default_factory=set)
    answers: dict[KeyFacts, tuple[bytes, Reply | Refusal]] = field(default_factory=dict)
    deposits: dict[str, DepositRow] = field(default_factory=dict)
    stripe_events: set[str] = field(default_factory=set)
    published: list[Deposit] = field(default_factory=list)

    def snapshot(self) -> "LedgerState":
        return LedgerState(
            transfers=list(self.transfers),
            settled_auctions=set(self.settled_auctions),
            answers=dict(self.answers),
            deposits={key: copy.copy(row) for key, row in self.deposits.items()},
            stripe_events=set(self.stripe_events),
            published=list(self.published),
        )


class FakeLedger:
    """The ``Ledger`` port; ``now`` may be moved."""

    def __init__(self) -> None:
        self.state = LedgerState()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._lock = asyncio.Lock()

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def run(self, work: Callable[[LedgerTransaction], Awaitable[Result]]) -> Result:
        async with self._lock:
            before = self.state.snapshot()
            try:
                return await work(FakeTransaction(self.state, self.now))
            except BaseException:
                self.state = before
                raise

    async def once(
        self, key: CommandKey, work: Callable[[LedgerTransaction], Awaitable[Answer]]
    ) -> Reply:
        async def take_or_replay(transaction: LedgerTransaction) -> Reply | Refusal:
            first = await transaction.first_reply(key)
            if first is not None:
                return first
            reply = encode_answer(await work(transaction))
            self.state.answers[_facts(key)] = (key.body_hash, reply)
            return reply

        async def remember(transaction: LedgerTransaction) -> Reply | Refusal:
            assert isinstance(transaction, FakeTransaction)
            return await transaction.remember(key, refusal)

        try:
            reply = await self.run(take_or_replay)
        except Refusal as caught:
            refusal = caught
            reply = await self.run(remember)
        if isinstance(reply, Refusal):
            raise reply
        return reply

    def encode(self, answer: Answer) -> Reply:
        return encode_answer(answer)

    async def balances(self, user_id: str) -> Sequence[Balances]:
        sums: dict[str, dict[AccountKind, int]] = defaultdict(lambda: defaultdict(int))
        for account, balance_minor in balances_of(self.state.transfers).items():
            if account.owner_id == user_id:
                sums[account.currency_code][account.kind] += balance_minor
        return [
            Balances(
                available=Money(code, sums[code][AccountKind.AVAILABLE]),
                bidding_power=Money(code, sums[code][AccountKind.BIDDING_POWER]),
                pending_earnings=Money(code, sums[code][AccountKind.PENDING_EARNINGS]),
            )
            for code in sorted(sums)
        ]

    async def undecided_deposits(self, *, idle_s: float, count_max: int) -> Sequence[str]:
        def is_due(row: DepositRow) -> bool:
            age = self.now - row.deposit.created_at
            idle = max(timedelta(seconds=idle_s), age / 10)
            is_under_way = row.attempt_expires_at is not None and row.attempt_expires_at > self.now
            return (
                not row.deposit.is_decided and row.asked_at < self.now - idle and not is_under_way
            )

        return [key for key, row in self.state.deposits.items() if is_due(row)][:count_max]


class FakeTransaction:
    """The ``LedgerTransaction`` port."""

    def __init__(self, state: LedgerState, now: datetime) -> None:
        self._state = state
        self._now = now

    async def lock_balances(self, accounts: Iterable[Account]) -> Mapping[Account, Money]:
        balances = balances_of(self._state.transfers)
        return {
            account: Money(account.currency_code, balances.get(account, 0)) for account in accounts
        }

    async def post(self, transfer: Transfer) -> None:
        made = {(earlier.kind, earlier.cause_id) for earlier in self._state.transfers}
        assert (transfer.kind, transfer.cause_id) not in made
        self._state.transfers.append(transfer)
        for account, balance_minor in balances_of(self._state.transfers).items():
            assert balance_minor >= 0 or account.kind is AccountKind.PROCESSOR_CLEARING

    async def record_settlement(
        self, *, auction_id: str, winner_id: str, seller_id: str, shard: int, hammer_price: Money
    ) -> None:
        assert winner_id, seller_id
        assert shard >= 0, hammer_price
        if auction_id in self._state.settled_auctions:
            raise AuctionSettled
        self._state.settled_auctions.add(auction_id)

    async def first_reply(self, key: CommandKey) -> Reply | Refusal | None:
        body_hash, reply = self._state.answers.get(_facts(key), (key.body_hash, None))
        if body_hash != key.body_hash:
            raise RequestIdReused
        return reply

    async def remember(self, key: CommandKey, answer: Deposit | Refusal) -> Reply | Refusal:
        reply = answer if isinstance(answer, Refusal) else encode_answer(answer)
        self._state.answers.setdefault(_facts(key), (key.body_hash, reply))
        stored = await self.first_reply(key)
        assert stored is not None
        return stored

    async def open_deposit(self, key: CommandKey, new: NewDeposit) -> tuple[Deposit, Attempt]:
        for row in self._state.deposits.values():
            if _facts(row.key) == _facts(key):
                if row.key != key:
                    raise RequestIdReused
                return self._read(row)
        deposit = Deposit(
            deposit_id=new.deposit_id,
            user_id=new.user_id,
            amount=new.amount,
            payment_method_id=new.payment_method_id,
            created_at=self._now,
        )
        row = DepositRow(deposit=deposit, key=key, asked_at=self._now)
        self._state.deposits[new.deposit_id] = row
        return self._read(row)

    async def lock_deposit(self, deposit_id: str) -> tuple[Deposit, Attempt] | None:
        row = self._state.deposits.get(deposit_id)
        return None if row is None else self._read(row)

    async def save_deposit(self, deposit: Deposit) -> None:
        row = self._state.deposits[deposit.deposit_id]
        assert deposit.state.rank >= row.deposit.state.rank
        row.deposit = replace(deposit, age_s=0.0)

    async def begin_attempt(self, deposit_id: str, *, lease_s: float) -> int:
        row = self._state.deposits[deposit_id]
        row.attempt_number += 1
        row.attempt_expires_at = self._now + timedelta(seconds=lease_s)
        row.was_answered = False
        row.asked_at = self._now
        return row.attempt_number

    async def end_attempt(self, deposit_id: str, number: int, *, was_answered: bool) -> None:
        row = self._state.deposits[deposit_id]
        if row.attempt_number == number:
            row.attempt_expires_at = None
            row.was_answered = was_answered
            row.asked_at = self._now

    async def record_stripe_event(self, event: StripeEvent) -> bool:
        is_new = event.event_id not in self._state.stripe_events
        self._state.stripe_events.add(event.event_id)
        return is_new

    async def publish_payment(self, deposit: Deposit) -> None:
        self._state.published.append(deposit)

    def _read(self, row: DepositRow) -> tuple[Deposit, Attempt]:
        age_s = (self._now - row.deposit.created_at).total_seconds()
        expires_at = row.attempt_expires_at
        return replace(row.deposit, age_s=age_s), Attempt(
            number=row.attempt_number,
            is_under_way=expires_at is not None and expires_at > self._now,
            was_answered=row.was_answered,
        )


def _facts(key: CommandKey) -> KeyFacts:
    return key.principal, key.method, key.request_id
