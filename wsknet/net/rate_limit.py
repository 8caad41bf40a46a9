"""How often something may be done: a token bucket (RFC 4443 2.4 (f))."""

from __future__ import annotations

from wsknet.types import SECOND, Instant


class TokenBucket:
    """`burst` at once after a rest, `per_second` in the long run, and in no interval more than both together.

    No tokens are counted: the moment at which the bucket is full again tells how many are in it.
    """

    def __init__(self, per_second: int, burst: int) -> None:
        self._interval = SECOND // per_second
        self._capacity = burst * self._interval
        self._full_at = 0

    def take(self, now: Instant) -> bool:
        """Whether there was a token, which is gone then."""
        full_at = max(self._full_at, now) + self._interval
        if full_at > now + self._capacity:
            return False
        self._full_at = full_at
        return True
