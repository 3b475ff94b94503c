"""One transaction on the ledger in Postgres."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from kernel.ids import new_id
from kernel.money import Money
from servicekit.errors import RequestIdReused
from servicekit.events.outbox import OutboxEvent, append
from servicekit.postgres import Connection
from servicekit.queries import Queries
from svc_payment.application.ports import Answer, CommandKey, NewDeposit, Reply, StripeEvent
from svc_payment.domain.accounts import Account
from svc_payment.domain.deposits import Attempt, Deposit, DepositState, Failure
from svc_payment.domain.errors import REFUSALS, AuctionSettled, Refusal
from svc_payment.domain.events import PaymentSucceeded
from svc_payment.domain.transfers import Transfer
from svc_payment.infrastructure.proto_mapping import encode_event

TOPIC = "payment.events"


class PostgresTransaction:
    """The ledger's ``LedgerTransaction`` on an open connection; see ``application/ports.py``."""

    def __init__(
        self, *, connection: Connection, queries: Queries, encode: Callable[[Answer], Reply]
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._encode = encode
        self.has_published = False

    async def lock_balances(self, accounts: Iterable[Account]) -> Mapping[Account, Money]:
        """Open the accounts that do not exist, lock all in id order, return their balances."""
        by_id = {account.account_id: account for account in accounts}
        rows = await self._lock(by_id)
        missing = [account for key, account in by_id.items() if key not in rows]
        if missing:
            await self._execute(
                "open_accounts",
                account_ids=[account.account_id for account in missing],
                kinds=[str(account.kind) for account in missing],
                owner_ids=[account.owner_id for account in missing],
                shards=[account.shard for account in missing],
                currency_codes=[account.currency_code for account in missing],
            )
            rows = await self._lock(by_id)
        return {by_id[key]: Money(by_id[key].currency_code, rows[key]) for key in by_id}

    async def post(self, transfer: Transfer) -> None:
        """Append a transfer; its accounts must be locked."""
        await self._execute(
            "insert_transfer",
            transfer_id=new_id(),
            kind=str(transfer.kind),
            cause_id=transfer.cause_id,
            account_ids=[posting.account.account_id for posting in transfer.postings],
            currency_codes=[posting.account.currency_code for posting in transfer.postings],
            amounts_minor=[posting.amount_minor for posting in transfer.postings],
        )

    async def record_settlement(
        self, *, auction_id: str, winner_id: str, seller_id: str, shard: int, hammer_price: Money
    ) -> None:
        """Note that an auction is paid; ``AuctionSettled`` if it was before."""
        inserted = await self._execute(
            "insert_settlement",
            auction_id=auction_id,
            winner_id=winner_id,
            seller_id=seller_id,
            shard=shard,
            currency_code=hammer_price.currency_code,
            amount_minor=hammer_price.amount_minor,
        )
        if not inserted:
            raise AuctionSettled

    async def take_place(self, key: CommandKey) -> bool:
        """Take a command's place before its work; False if another transaction did before."""
        return bool(await self._execute("begin_command", **_key(key), body_hash=key.body_hash))

    async def complete(self, key: CommandKey, answer: Answer) -> Reply:
        """Store the answer of a command whose place was taken in this transaction."""
        reply = self._encode(answer)
        await self._execute("complete_command", **_key(key), response=reply)
        return reply

    async def first_reply(self, key: CommandKey) -> Reply | Refusal | None:
        """Return the final answer, or None if there is none; ``RequestIdReused`` if it differs."""
        row = await self._one("read_answer", **_key(key))
        if row is None:
            return None
        body_hash, response, refusal_reason, refusal_facts = row
        if body_hash != key.body_hash:
            raise RequestIdReused
        if refusal_reason is not None:
            return REFUSALS[refusal_reason](**refusal_facts)
        return bytes(response)

    async def remember(self, key: CommandKey, answer: Answer | Refusal) -> Reply | Refusal:
        """Store a final answer unless there is one; return the stored one."""
        refusal = answer if isinstance(answer, Refusal) else None
        await self._execute(
            "insert_answer",
            **_key(key),
            body_hash=key.body_hash,
            response=None if isinstance(answer, Refusal) else self._encode(answer),
            refusal_reason=refusal.reason if refusal else None,
            refusal_facts=Jsonb(refusal.facts) if refusal else None,
        )
        stored = await self.first_reply(key)
        if stored is None:
            raise LookupError(f"the answer of {key.method} {key.request_id} is gone")
        return stored

    async def open_deposit(self, key: CommandKey, new: NewDeposit) -> tuple[Deposit, Attempt]:
        """Insert the deposit unless the command did so before; lock and return it."""
        await self._execute(
            "insert_deposit",
            deposit_id=new.deposit_id,
            user_id=new.user_id,
            request_id=key.request_id,
            body_hash=key.body_hash,
            currency_code=new.amount.currency_code,
            amount_minor=new.amount.amount_minor,
            payment_method_id=new.payment_method_id,
        )
        row = await self._one(
            "lock_deposit_of_command", user_id=new.user_id, request_id=key.request_id
        )
        deposit_id, body_hash = row or (None, None)
        if body_hash != key.body_hash:
            raise RequestIdReused
        found = await self.lock_deposit(deposit_id)
        if found is None:
            raise LookupError(f"deposit {deposit_id} is gone")
        return found

    async def lock_deposit(self, deposit_id: str) -> tuple[Deposit, Attempt] | None:
        """Lock and return a deposit, None if there is no such deposit."""
        row = await self._one("lock_deposit", deposit_id=deposit_id)
        return None if row is None else _deposit(deposit_id, row)

    async def save_deposit(self, deposit: Deposit) -> None:
        """Write a locked deposit's state back."""
        await self._execute(
            "save_deposit",
            deposit_id=deposit.deposit_id,
            state=str(deposit.state),
            payment_id=deposit.payment_id,
            client_secret=deposit.client_secret,
            failure=str(deposit.failure) if deposit.failure else None,
            failure_code=deposit.failure_code,
            is_decided=deposit.is_decided,
        )

    async def begin_attempt(self, deposit_id: str, *, lease_s: float) -> int:
        """Count an attempt to ask the processor and return its number."""
        row = await self._one("begin_attempt", deposit_id=deposit_id, lease_s=lease_s)
        if row is None:
            raise LookupError(f"deposit {deposit_id} is gone")
        return int(row[0])

    async def end_attempt(self, deposit_id: str, number: int, *, was_answered: bool) -> None:
        """Note how an attempt ended; without effect if a later one has begun."""
        await self._execute(
            "end_attempt", deposit_id=deposit_id, number=number, was_answered=was_answered
        )

    async def record_stripe_event(self, event: StripeEvent) -> bool:
        """Note that an event was taken; False if it was before."""
        inserted = await self._execute(
            "insert_stripe_event",
            event_id=event.event_id,
            event_type=event.event_type,
            deposit_id=event.deposit_id,
        )
        return bool(inserted)

    async def publish_payment(self, deposit: Deposit) -> None:
        """Queue ``payment.ok`` in the outbox."""
        row = await self._one("read_clock")
        occurred_at: datetime = row[0] if row else deposit.created_at
        event = PaymentSucceeded(
            deposit_id=deposit.deposit_id,
            user_id=deposit.user_id,
            amount=deposit.amount,
            occurred_at=occurred_at,
        )
        outbox_event = OutboxEvent(topic=TOPIC, key=deposit.deposit_id, payload=encode_event(event))
        await append(self._connection, [outbox_event])
        self.has_published = True

    async def _lock(self, account_ids: Iterable[str]) -> dict[str, int]:
        cursor = await self._connection.execute(
            self._queries["lock_balances"], {"account_ids": list(account_ids)}
        )
        return {row[0]: row[1] for row in await cursor.fetchall()}

    async def _execute(self, name: str, **parameters: object) -> int:
        cursor = await self._connection.execute(self._queries[name], parameters)
        return cursor.rowcount

    async def _one(self, name: str, **parameters: object) -> tuple[Any, ...] | None:
        cursor = await self._connection.execute(self._queries[name], parameters)
        return await cursor.fetchone()


def _key(key: CommandKey) -> dict[str, str]:
    return {"principal": key.principal, "method": key.method, "request_id": key.request_id}


def _deposit(deposit_id: str, row: tuple[Any, ...]) -> tuple[Deposit, Attempt]:
    (user_id, currency_code, amount_minor, payment_method_id, created_at, age_s) = row[:6]
    (state, payment_id, client_secret, failure, failure_code) = row[6:11]
    deposit = Deposit(
        deposit_id=deposit_id,
        user_id=user_id,
        amount=Money(currency_code, amount_minor),
        payment_method_id=payment_method_id,
        created_at=created_at,
        age_s=age_s,
        state=DepositState(state),
        payment_id=payment_id,
        client_secret=client_secret,
        failure=Failure(failure) if failure else None,
        failure_code=failure_code,
    )
    number, is_under_way, was_answered = row[11:]
    return deposit, Attempt(number=number, is_under_way=is_under_way, was_answered=was_answered)
