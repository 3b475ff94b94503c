"""Security statements 12 and 13: how passwords are hashed, in the same time for everybody."""

import asyncio
import statistics
import threading
import time
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from servicekit.errors import Overloaded
from svc_identity.infrastructure.argon2_passwords import Argon2Passwords, is_weak


@pytest.fixture
async def passwords() -> AsyncIterator[Argon2Passwords]:
    async with Argon2Passwords.open(thread_count=1, queue_max=2) as passwords:
        yield passwords


async def test_the_parameters_are_the_recommended_least(passwords: Argon2Passwords) -> None:
    parameters = extract_parameters(await passwords.hash("correct horse"))
    assert parameters.type is Type.ID
    assert parameters.memory_cost >= 19 * 1024
    assert (parameters.time_cost, parameters.parallelism) == (2, 1)
    assert parameters.salt_len >= 16


async def test_only_the_right_password_is_right(passwords: Argon2Passwords) -> None:
    stored = await passwords.hash("correct horse \u00e9\0")
    assert (await passwords.check("correct horse \u00e9\0", stored)).is_right
    for wrong in ("correct horse \u00e9", "Correct horse \u00e9\0", ""):
        assert not (await passwords.check(wrong, stored)).is_right
    assert not (await passwords.check("anything", None)).is_right


@pytest.mark.parametrize(
    "weaker",
    [
        PasswordHasher(time_cost=1, memory_cost=19 * 1024, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=8 * 1024, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.I),
    ],
)
async def test_a_weaker_hash_is_upgraded(
    passwords: Argon2Passwords, weaker: PasswordHasher
) -> None:
    stored = weaker.hash("correct horse")
    check = await passwords.check("correct horse", stored)
    assert check.is_right
    assert check.stronger_hash is not None
    assert not is_weak(check.stronger_hash)
    again = await passwords.check("correct horse", check.stronger_hash)
    assert (again.is_right, again.stronger_hash) == (True, None)
    assert (await passwords.check("wrong", stored)).stronger_hash is None


async def test_a_stronger_hash_stays(passwords: Argon2Passwords) -> None:
    stored = PasswordHasher(time_cost=3, memory_cost=20 * 1024, parallelism=1).hash("p")
    assert (await passwords.check("p", stored)).stronger_hash is None


async def test_nobodys_password_takes_as_long_as_a_wrong_one(passwords: Argon2Passwords) -> None:
    stored = await passwords.hash("correct horse")
    times_s: dict[str | None, list[float]] = {stored: [], None: []}
    for _ in range(9):
        for password_hash, measured_s in times_s.items():
            started_s = time.perf_counter()
            await passwords.check("wrong", password_hash)
            measured_s.append(time.perf_counter() - started_s)
    known_s, unknown_s = (statistics.median(measured) for measured in times_s.values())
    assert 0.5 < known_s / unknown_s < 2


async def test_a_flood_is_turned_away_and_the_loop_goes_on(passwords: Argon2Passwords) -> None:
    outcomes = await asyncio.gather(
        *(passwords.hash("correct horse") for _ in range(20)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Overloaded)]
    assert len(refused) == 17
    assert all(refusal.retry_after_s for refusal in refused)
    assert (await passwords.hash("correct horse")).startswith("$argon2id$")


async def test_hashing_runs_on_threads_of_its_own(passwords: Argon2Passwords) -> None:
    hashing = asyncio.create_task(passwords.hash("correct horse"))
    await asyncio.sleep(0)
    assert any(thread.name.startswith("argon2") for thread in threading.enumerate())
    await hashing


async def test_callers_that_give_up_leave_the_queue(passwords: Argon2Passwords) -> None:
    waiting = [asyncio.create_task(passwords.hash("correct horse")) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(5):
        while True:
            try:
                await passwords.hash("correct horse")
                break
            except Overloaded:
                await asyncio.sleep(0.01)
