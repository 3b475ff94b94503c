"""Any sequence of commands, on the ledger in memory and on the real one, against a plain model."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.payment_commands import Wallet, usd
from fakes.payment_database import PaymentDatabase
from fakes.payment_ledger import FakeLedger
from fakes.payment_processor import FakeProcessor
from kernel.errors import BlytzError
from kernel.ids import new_id
from svc_payment.application.ports import Ledger
from svc_payment.domain.accounts import AccountKind
from svc_payment.domain.transfers import balances_of
from svc_payment.infrastructure.verification import verify_ledger

USER_COUNT = 2
AUCTION_COUNT = 3


@dataclass(frozen=True)
class Step:
    """A command of one of the users; ``request`` is a small number, so that ids are reused."""

    kind: Literal["deposit", "allot", "return", "settle"]
    user: int
    shard: int
    auction: int
    amount_minor: int
    request: int


steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["deposit", "allot", "return", "settle"]),
        user=st.integers(0, USER_COUNT - 1),
        shard=st.integers(0, 1),
        auction=st.integers(0, AUCTION_COUNT - 1),
        amount_minor=st.integers(1, 40),
        request=st.integers(0, 30),
    ),
    max_size=30,
)


@dataclass
class Model:
    """What the wallet should do, in the fewest words."""

    available: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    power: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    earned: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    settled: set[int] = field(default_factory=set)
    answers: dict[tuple[object, ...], tuple[Step, str]] = field(default_factory=dict)

    def apply(self, step: Step) -> str:
        """Return the reason of the refusal, or nothing."""
        principal = step.user if step.kind == "deposit" else "auction"
        key = (principal, step.kind, step.request)
        first, answer = self.answers.get(key, (step, None))
        if answer is None:
            answer = self._decide(step)
            self.answers[key] = (step, answer)
        elif body_of(first) != body_of(step):
            return "REQUEST_ID_REUSED"
        return answer

    def _decide(self, step: Step) -> str:
        lent = (step.user, step.shard)
        if step.kind == "deposit":
            self.available[step.user] += step.amount_minor
        elif step.kind == "allot":
            moved = min(step.amount_minor, self.available[step.user])
            if moved < (step.amount_minor + 1) // 2:
                return "INSUFFICIENT_FUNDS"
            self.available[step.user] -= moved
            self.power[lent] += moved
        elif step.kind == "settle" and step.auction in self.settled:
            return "AUCTION_SETTLED"
        elif self.power[lent] < step.amount_minor:
            return "ALLOTMENT_TOO_SMALL"
        else:
            self.power[lent] -= step.amount_minor
            if step.kind == "return":
                self.available[step.user] += step.amount_minor
            else:
                self.settled.add(step.auction)
                self.earned[step.user] += step.amount_minor
        return ""


def body_of(step: Step) -> tuple[object, ...]:
    if step.kind == "deposit":
        return (step.amount_minor,)
    body = (step.user, step.shard, step.amount_minor)
    return (*body, step.auction) if step.kind == "settle" else body


class World:
    """The same users and auctions on a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        processor = FakeProcessor()
        self.wallets = [Wallet(ledger=ledger, processor=processor) for _ in range(USER_COUNT)]
        self._auctions = [new_id() for _ in range(AUCTION_COUNT)]
        self._requests = defaultdict[int, str](new_id)

    async def apply(self, step: Step) -> str:
        try:
            await self._send(step)
        except BlytzError as refused:
            return refused.reason
        return ""

    def _send(self, step: Step) -> Awaitable[bytes]:
        wallet = self.wallets[step.user]
        amount = usd(step.amount_minor)
        request_id = self._requests[step.request]
        if step.kind == "deposit":
            return wallet.deposit(amount, request_id=request_id)
        if step.kind == "allot":
            least = usd((step.amount_minor + 1) // 2)
            return wallet.allot(amount, minimum=least, shard=step.shard, request_id=request_id)
        if step.kind == "return":
            return wallet.give_back(amount, shard=step.shard, request_id=request_id)
        auction_id = self._auctions[step.auction]
        return wallet.settle(amount, auction_id=auction_id, shard=step.shard, request_id=request_id)


async def compare(ledger: Ledger, made: list[Step]) -> None:
    world, model = World(ledger), Model()
    for step in made:
        assert await world.apply(step) == model.apply(step), step
    for user, wallet in enumerate(world.wallets):
        power = sum(minor for (owner, _), minor in model.power.items() if owner == user)
        assert await wallet.money() == (model.available[user], power)
        assert await wallet.earnings_minor() == model.earned[user]


@settings(max_examples=150, deadline=None)
@given(steps)
def test_the_ledger_in_memory_does_what_the_model_does(made: list[Step]) -> None:
    ledger = FakeLedger()
    asyncio.run(compare(ledger, made))
    for account, balance_minor in balances_of(ledger.state.transfers).items():
        assert balance_minor >= 0 or account.kind is AccountKind.PROCESSOR_CLEARING


@pytest.fixture
def run_on_postgres(payment_url: str) -> Callable[[list[Step]], None]:
    async def run(made: list[Step]) -> None:
        async with PaymentDatabase.open(payment_url) as database:
            await compare(database.ledger, made)
            verification = await verify_ledger(database.database)
            assert verification.is_sound, verification

    return lambda made: asyncio.run(run(made))


@settings(
    max_examples=25,
    deadline=None,
    # The fixture is a function without state; every example has new users.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(made=steps)
def test_the_real_ledger_does_what_the_model_does(
    run_on_postgres: Callable[[list[Step]], None], made: list[Step]
) -> None:
    run_on_postgres(made)
