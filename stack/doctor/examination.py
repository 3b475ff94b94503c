"""One look at everything: opens the databases read-only and runs every check."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import IsolationLevel
from psycopg.types.string import TextLoader

from stack.doctor import bid_log, event_sequences, power, processor
from stack.doctor.checks import Connection, Violation, queries_of
from stack.failure import CommandFailed

_CONNECT_TIMEOUT_S = 5
_LOOKS_MAX = 4
_LOOK_AGAIN_AFTER_S = 1.5

Shards = Mapping[int, Connection]


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What there is to look at: databases by URL (shards by number), and the processor's API."""

    identity_url: str
    payment_url: str
    shard_urls: Mapping[int, str]
    stripe_api_base: str = ""
    stripe_api_key: str = ""


@dataclass(slots=True)
class Diagnosis:
    """What was found, what was looked at (description by name), and what could not be."""

    violations: list[Violation] = field(default_factory=list)
    checked: dict[str, str] = field(default_factory=dict)
    unchecked: set[str] = field(default_factory=set)


async def examine(patient: Patient) -> Diagnosis:
    """Run every check.

    Within one database all checks see the same instant. Two databases are never seen at the same
    instant, so a difference between them counts only if it stays as it is from look to look.
    """
    diagnosis = Diagnosis()
    async with _connections(patient) as (shards, ledger, identity):
        await _look_within(diagnosis, shards, ledger, identity)
        between = await _look_between(diagnosis, patient, shards, ledger)
    for _ in range(_LOOKS_MAX - 1):
        if not between:
            break
        await asyncio.sleep(_LOOK_AGAIN_AFTER_S)
        async with _connections(patient) as (shards, ledger, _identity):
            again = await _look_between(diagnosis, patient, shards, ledger)
        stayed = [violation for violation in between if violation in again]
        if stayed == between:
            break
        between = stayed
    diagnosis.violations += between
    return diagnosis


async def _look_within(
    diagnosis: Diagnosis, shards: Shards, ledger: Connection, identity: Connection
) -> None:
    """Run the checks that need one database each."""
    for number, shard in shards.items():
        prefix = f"shard {number}, " if len(shards) > 1 else ""
        await _run_queries(diagnosis, "shard.sql", shard, prefix)
        await _run_queries(diagnosis, "outbox.sql", shard, f"auction shard {number}, ")
        diagnosis.violations += await bid_log.violations(shard)
        diagnosis.violations += await event_sequences.violations(shard, area="auction")
    await _run_queries(diagnosis, "ledger.sql", ledger, "")
    await _run_queries(diagnosis, "outbox.sql", ledger, "payment, ")
    await _run_queries(diagnosis, "outbox.sql", identity, "identity, ")
    diagnosis.violations += await event_sequences.violations(identity, area="identity")
    for check in (bid_log, event_sequences):
        diagnosis.checked[check.NAME] = check.DESCRIPTION


async def _look_between(
    diagnosis: Diagnosis, patient: Patient, shards: Shards, ledger: Connection
) -> list[Violation]:
    """Run the checks that hold one database against another, or against the processor."""
    found = await power.unknown_shards(ledger, set(shards))
    for number, shard in shards.items():
        found += await power.violations(ledger=ledger, shard=shard, number=number)
    diagnosis.checked[power.NAME] = power.DESCRIPTION
    intents = None
    if patient.stripe_api_base:
        intents = await processor.payments(patient.stripe_api_base, patient.stripe_api_key)
    if intents is None:
        diagnosis.unchecked.add(processor.NAME)
    else:
        diagnosis.checked[processor.NAME] = processor.DESCRIPTION
        found += await processor.violations(ledger, intents)
    return found


@asynccontextmanager
async def _connections(
    patient: Patient,
) -> AsyncIterator[tuple[Shards, Connection, Connection]]:
    """Yield the shards, the ledger and the identities.

    The shards are seen first: they borrow from the ledger.
    """
    async with AsyncExitStack() as stack:
        shards = {
            number: await stack.enter_async_context(_open(url))
            for number, url in sorted(patient.shard_urls.items())
        }
        ledger = await stack.enter_async_context(_open(patient.payment_url))
        identity = await stack.enter_async_context(_open(patient.identity_url))
        yield shards, ledger, identity


async def _run_queries(
    diagnosis: Diagnosis, file_name: str, connection: Connection, prefix: str
) -> None:
    for query in queries_of(file_name).values():
        diagnosis.checked[query.name] = query.description
        diagnosis.violations += await query.violations(connection, where=prefix)


@asynccontextmanager
async def _open(url: str) -> AsyncIterator[Connection]:
    """Yield a connection that sees one instant and can change nothing."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            url, connect_timeout=_CONNECT_TIMEOUT_S, application_name="blytz doctor"
        )
    except psycopg.OperationalError as error:
        raise CommandFailed(f"A database cannot be reached: {error}") from error
    async with connection:
        await connection.set_read_only(True)
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        connection.adapters.register_loader("uuid", TextLoader)
        # The first statement takes the picture that all others see.
        await connection.execute("select")
        yield connection
