"""How long to wait before the next attempt."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from ``first_s`` to ``longest_s``, each spread over half to all of it."""

    first_s: float
    longest_s: float

    def delay_s(self, attempt: int, at_least_s: float | None = None) -> float:
        """Return the wait after attempt number ``attempt`` (from 0), in seconds.

        ``at_least_s`` is what the server asked for; it is spread upwards, so that all who were
        turned away together do not come back together.
        """
        doubled_s = self.first_s * 2.0 ** min(attempt, 30)
        spread = random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        delay_s = min(self.longest_s, doubled_s) * spread
        return delay_s if at_least_s is None else at_least_s + delay_s
