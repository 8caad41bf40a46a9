"""Interface metrics by the speed of the link: KB 299540, the Automatic Metric feature.

The table is that of Windows 10 and newer for everything but wireless links.
"""

from __future__ import annotations

from wsknet.config import GIGABIT

_MEGABIT = 1_000_000

METRICS = (
    (100 * GIGABIT, 5),
    (40 * GIGABIT, 10),
    (10 * GIGABIT, 15),
    (2 * GIGABIT, 20),
    (200 * _MEGABIT, 25),
    (80 * _MEGABIT, 35),
    (20 * _MEGABIT, 45),
    (4 * _MEGABIT, 55),
    (500_000, 65),
    (0, 75),
)
"""Bits per second from which on a metric counts, and the metric."""


def automatic_metric(speed: int) -> int:
    """`speed` in bits per second."""
    return next(metric for least, metric in METRICS if speed >= least)
