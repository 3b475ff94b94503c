import time

import grpc
import pytest

from blytz_client import BlytzCallError
from stack.patience import persist, queue


class Flaky:
    """Fails with the given errors, one a call, then answers."""

    def __init__(self, *errors: BlytzCallError) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def away(retry_after_s: float | None = None) -> BlytzCallError:
    return BlytzCallError(grpc.StatusCode.UNAVAILABLE, retry_after_s=retry_after_s)


def limited(retry_after_s: float) -> BlytzCallError:
    return BlytzCallError(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after_s=retry_after_s)


async def test_a_call_persists_through_a_fault() -> None:
    late = BlytzCallError(grpc.StatusCode.DEADLINE_EXCEEDED)
    call = Flaky(away(), late, limited(0.01))
    assert await persist(call) == "done"
    assert call.calls == 4


async def test_the_pause_that_the_server_asks_for_is_kept() -> None:
    began_s = time.monotonic()
    await persist(Flaky(limited(0.2)))
    assert time.monotonic() - began_s >= 0.2


async def test_a_refusal_is_final() -> None:
    call = Flaky(BlytzCallError(grpc.StatusCode.FAILED_PRECONDITION))
    with pytest.raises(BlytzCallError):
        await persist(call)
    assert call.calls == 1


async def test_patience_ends() -> None:
    call = Flaky(*[away() for _ in range(100)])
    with pytest.raises(BlytzCallError):
        await persist(call, patience_s=0.15)
    assert 1 < call.calls < 10


async def test_what_may_not_be_repeated_is_sent_again_only_if_it_was_turned_away() -> None:
    turned_away = Flaky(limited(0.01))
    assert await queue(turned_away) == "done"
    unknown = Flaky(away())
    with pytest.raises(BlytzCallError):
        await queue(unknown)
    assert unknown.calls == 1
