"""Accounts of development that commands sign up once and know again.

They are kept in the data folder, readable by their owner alone. Passwords are random; nobody types
them.
"""

import asyncio
import json
import os
import secrets
import uuid
from pathlib import Path
from typing import Self

import grpc

from blytz.identity.v1.user_service_pb2 import Role
from blytz.payment.v1.wallet_service_pb2 import DepositState
from blytz_client import Blytz, BlytzCallError, Session
from stack.failure import CommandFailed
from stack.layout import Layout
from stack.patience import persist

DEPOSIT_MINOR_MAX = 100_000_00
"""The largest deposit that the contract takes."""
PAYMENT_METHOD = "pm_card_visa"
"""The processor's test card that always pays."""

_SIGN_INS_AT_ONCE = 4
"""Hashing a password is dear on purpose, and the service does only a few at a time."""
_WEBHOOK_S = 1.0


class Accounts:
    """The accounts of one data folder, by a name such as ``replay/bidder 7``."""

    def __init__(self, path: Path, known: dict[str, dict[str, str]]) -> None:
        self._path = path
        self._known = known
        self._turns = asyncio.Semaphore(_SIGN_INS_AT_ONCE)

    @classmethod
    def of(cls, layout: Layout) -> Self:
        """Read the accounts of a data folder; there may be none yet."""
        path = layout.root / "accounts.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        return cls(path, known)

    async def sign_in(self, blytz: Blytz, name: str, *, display_name: str) -> Session:
        """Return a session of the account called ``name``; sign it up if the mesh has none."""
        async with self._turns:
            if account := self._known.get(name):
                try:
                    return await persist(lambda: blytz.login(**account))
                except BlytzCallError as error:
                    # The mesh was made anew, and this data folder remembers the one before.
                    if error.status is not grpc.StatusCode.UNAUTHENTICATED:
                        raise
            return await self._sign_up(blytz, name, display_name)

    async def sign_in_seller(self, blytz: Blytz, name: str, *, display_name: str) -> Session:
        """Return a session of an account that may sell."""
        session = await self.sign_in(blytz, name, display_name=display_name)
        if Role.ROLE_SELLER not in session.user.roles:
            await persist(lambda: session.apply_as_seller(shop_name=display_name))
        return session

    async def _sign_up(self, blytz: Blytz, name: str, display_name: str) -> Session:
        account = {
            "email": f"{uuid.uuid4()}@people.example",
            "password": secrets.token_urlsafe(24),
        }
        # Kept before it exists: an account whose answer was lost is found again by signing in.
        self._known[name] = account
        self._save()
        try:
            return await persist(lambda: blytz.register(**account, display_name=display_name))
        except BlytzCallError as error:
            if error.status is not grpc.StatusCode.ALREADY_EXISTS:
                raise
            return await persist(lambda: blytz.login(**account))

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._known, file, indent=2)
        fresh.rename(self._path)


async def ensure_funds(
    session: Session,
    *,
    needed_minor: int,
    currency_code: str,
    at_a_time_minor: int = DEPOSIT_MINOR_MAX,
) -> int:
    """Deposit, ``at_a_time_minor`` each time, until the wallet is worth ``needed_minor``.

    Returns what was added. Money that is lent to auctions counts: it is there to bid with.
    """
    missing_minor = needed_minor - await _worth_minor(session, currency_code)
    added_minor = 0
    while added_minor < missing_minor:
        await deposit(session, amount_minor=at_a_time_minor, currency_code=currency_code)
        added_minor += at_a_time_minor
    return added_minor


async def deposit(session: Session, *, amount_minor: int, currency_code: str) -> None:
    """Pay into the wallet with the test card."""
    request_id = str(uuid.uuid4())
    made = await persist(
        lambda: session.create_deposit(
            amount_minor=amount_minor,
            currency_code=currency_code,
            payment_method_id=PAYMENT_METHOD,
            request_id=request_id,
        )
    )
    if made.state == DepositState.DEPOSIT_STATE_PENDING:
        # The processor's webhook credits it in a moment.
        await asyncio.sleep(_WEBHOOK_S)
    elif made.state != DepositState.DEPOSIT_STATE_SUCCEEDED:
        raise CommandFailed(f"The deposit is {DepositState.Name(made.state)}.")


async def _worth_minor(session: Session, currency_code: str) -> int:
    balances = await persist(session.get_wallet)
    return sum(
        balance.available.amount_minor + balance.bidding_power.amount_minor
        for balance in balances
        if balance.available.currency_code == currency_code
    )
