from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolTimeout

from kernel.errors import DependencyUnavailable
from svc_auction.domain.errors import ShardUnavailable
from svc_auction.infrastructure.presence import TRY_EVERY_S, Known, Presence


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Wire:
    """Connections that succeed, or end in a fault of the database."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.count = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        self.count += 1
        if isinstance(self.fault, PoolTimeout):
            raise DependencyUnavailable(dependency="postgres") from self.fault
        yield cast("Any", object())
        if self.fault is not None:
            raise DependencyUnavailable(dependency="postgres") from self.fault


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def presence(clock: Clock) -> Presence:
    return Presence(clock=clock)


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def call(presence: Presence, wire: Wire, fault: Exception | None = None) -> None:
    wire.fault = fault
    async with presence.through(wire.connection()):
        pass


async def refused(presence: Presence, wire: Wire, fault: Exception | None = None) -> int:
    """Return how often the database was called for a call that is refused."""
    before = wire.count
    with pytest.raises(ShardUnavailable) as refusal:
        await call(presence, wire, fault)
    assert refusal.value.retry_after_s
    return wire.count - before


async def test_two_faults_in_a_row_prove_a_server_away_until_a_try_succeeds(
    presence: Presence, wire: Wire, clock: Clock
) -> None:
    await call(presence, wire)
    assert await refused(presence, wire, psycopg.OperationalError("the connection is lost")) == 1
    assert await refused(presence, wire, PoolTimeout()) == 1
    assert presence.known is Known.AWAY
    assert await refused(presence, wire) == 0, "nobody waits again so soon"
    clock.now_s += TRY_EVERY_S
    assert await refused(presence, wire, PoolTimeout()) == 1
    assert await refused(presence, wire) == 0
    clock.now_s += TRY_EVERY_S
    await call(presence, wire)
    for _ in range(2):
        assert await refused(presence, wire, PoolTimeout()) == 1, "it may just be busy"


async def test_others_are_refused_while_a_try_waits(
    presence: Presence, wire: Wire, clock: Clock
) -> None:
    await refused(presence, wire, PoolTimeout())
    clock.now_s += TRY_EVERY_S

    @asynccontextmanager
    async def waiting() -> AsyncIterator[Any]:
        assert await refused(presence, wire) == 0
        yield cast("Any", object())

    wire.fault = None
    async with presence.through(waiting()):
        pass
    await call(presence, wire)


async def test_a_lost_connection_alone_refuses_nobody(presence: Presence, wire: Wire) -> None:
    for _ in range(3):
        await call(presence, wire)
        await refused(presence, wire, errors.AdminShutdown())
    await call(presence, wire)


async def test_busy_connections_are_not_a_server_that_is_away(
    presence: Presence, wire: Wire
) -> None:
    await call(presence, wire)
    for _ in range(3):
        assert await refused(presence, wire, PoolTimeout()) == 1
    assert presence.known is Known.THERE


@pytest.mark.parametrize("fault", [errors.LockNotAvailable(), errors.QueryCanceled()])
async def test_what_one_statement_met_says_nothing_of_the_server(
    presence: Presence, wire: Wire, fault: Exception
) -> None:
    await call(presence, wire)
    for _ in range(3):
        await refused(presence, wire, fault)
    assert presence.known is Known.THERE


async def test_a_server_that_was_never_there_is_away_at_the_first_timeout(
    presence: Presence, wire: Wire
) -> None:
    assert await refused(presence, wire, PoolTimeout()) == 1
    assert await refused(presence, wire) == 0
