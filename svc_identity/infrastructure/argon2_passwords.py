"""Passwords by argon2id, hashed on a few threads of their own.

Hashing takes tens of milliseconds and 19 MiB by intent, so it never runs on the event loop, and
neither the threads nor the queue before them can grow: a flood of sign-ins is turned away instead.
"""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Self, TypeVar

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import VerifyMismatchError

from servicekit.errors import Overloaded
from svc_identity.application.ports import PasswordCheck

MEMORY_KIB = 19 * 1024
TIME_COST = 2
PARALLELISM = 1
"""The least that OWASP's Password Storage Cheat Sheet recommends for argon2id."""

RETRY_AFTER_S = 1.0

Result = TypeVar("Result")


class Argon2Passwords:
    """The port ``Passwords``; use ``Argon2Passwords.open``.

    At most ``thread_count`` hashes are computed and ``queue_max`` wait; more are ``Overloaded``.
    """

    def __init__(self, *, pool: ThreadPoolExecutor, thread_count: int, queue_max: int) -> None:
        self._pool = pool
        self._places = threading.BoundedSemaphore(thread_count + queue_max)
        self._hasher = PasswordHasher(
            time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM, type=Type.ID
        )
        # What the passwords for unknown addresses are compared with.
        self._nobodys_hash = self._hasher.hash(secrets.token_urlsafe())

    @classmethod
    @asynccontextmanager
    async def open(cls, *, thread_count: int, queue_max: int) -> AsyncIterator[Self]:
        """Start the threads; what still waits at the end is dropped."""
        pool = ThreadPoolExecutor(thread_count, thread_name_prefix="argon2")
        try:
            yield cls(pool=pool, thread_count=thread_count, queue_max=queue_max)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return a salted hash to store."""
        return await self._run(lambda: self._hasher.hash(password))

    async def check(self, password: str, password_hash: str | None) -> PasswordCheck:
        """Compare a password with its hash, or in the same time with nobody's."""
        return await self._run(lambda: self._check(password, password_hash))

    def _check(self, password: str, password_hash: str | None) -> PasswordCheck:
        try:
            self._hasher.verify(password_hash or self._nobodys_hash, password)
        except VerifyMismatchError:
            return PasswordCheck(is_right=False)
        if password_hash is None:
            return PasswordCheck(is_right=False)
        stronger = self._hasher.hash(password) if is_weak(password_hash) else None
        return PasswordCheck(is_right=True, stronger_hash=stronger)

    async def _run(self, work: Callable[[], Result]) -> Result:
        if not self._places.acquire(blocking=False):
            raise Overloaded(retry_after_s=RETRY_AFTER_S)
        future: Future[Result] = self._pool.submit(work)
        # Not when the caller stops waiting: a thread may be busy with it still.
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)


def is_weak(password_hash: str) -> bool:
    """Tell whether a hash was made with less than today's parameters."""
    parameters = extract_parameters(password_hash)
    return (
        parameters.type is not Type.ID
        or parameters.memory_cost < MEMORY_KIB
        or parameters.time_cost < TIME_COST
    )
