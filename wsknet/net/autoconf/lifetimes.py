"""Lifetimes of what a router tells: RFC 4861 4.6.2, RFC 4862 5.5.3 (e)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.types import SECOND, Instant

if TYPE_CHECKING:
    from wsknet.timers import Timer

INFINITE = 0xFFFFFFFF
"""Seconds, as they stand in a message, that stand for no end (RFC 4861 4.6.2)."""

NEVER = Instant(1 << 63)
"""Later than any clock."""

TWO_HOURS = 2 * 3600 * SECOND


def end_of(seconds: int, now: Instant) -> Instant:
    return NEVER if seconds == INFINITE else Instant(now + seconds * SECOND)


def arm(timer: Timer, end: Instant) -> None:
    if end == NEVER:
        timer.cancel()
    else:
        timer.arm(end)


def renewed(end: Instant, seconds: int, now: Instant) -> Instant:
    """When an address that was valid until `end` ends by what an advertisement says now.

    Nobody may end it within two hours: advertisements are not authenticated, and one forged could else take all
    addresses away (RFC 4862 5.5.3 (e)).
    """
    told = end_of(seconds, now)
    if told > end or told - now > TWO_HOURS:
        return told
    return min(end, Instant(now + TWO_HOURS))
