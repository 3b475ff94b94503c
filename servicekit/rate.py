"""Rate limits within a stream: the gateway counts calls, and a stream is one call."""

import time
from collections.abc import Callable

from servicekit.contract import MethodContract
from servicekit.errors import RateLimited


class TokenBucket:
    """A token bucket: ``per_second`` on average, ``burst`` at once."""

    def __init__(
        self, *, per_second: int, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled_at_s = clock()

    @classmethod
    def of(cls, method: MethodContract) -> "TokenBucket":
        """Return a bucket as the contract of the method asks for; 0 a second means no limit."""
        return cls(per_second=method.rate_per_second, burst=method.rate_burst)

    def take(self) -> None:
        """Take a token, or raise ``RateLimited`` with the time until there is one."""
        if not self._per_second:
            return
        now_s = self._clock()
        gained = (now_s - self._filled_at_s) * self._per_second
        self._tokens = min(self._burst, self._tokens + gained)
        self._filled_at_s = now_s
        if self._tokens < 1:
            wait_s = (1 - self._tokens) / self._per_second
            raise RateLimited(per_second=self._per_second, retry_after_s=wait_s)
        self._tokens -= 1
