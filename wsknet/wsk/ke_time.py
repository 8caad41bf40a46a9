"""What time it is, by the clocks of the current host, and short delays.

The host started at instant 0 of its driver.  Units are those of Windows: 100 ns for times, 10 MHz for the performance
counter (as since Windows 10), 15.625 ms for the clock tick.
"""

from __future__ import annotations

import time

from wsknet.host import current_host
from wsknet.types import Instant
from wsknet.wsk.irql import DISPATCH_LEVEL, KeGetCurrentIrql
from wsknet.wsk.ke import LARGE_INTEGER, UNIX_EPOCH_IN_SYSTEM_TIME, never

__all__ = [
    "KeQueryInterruptTime",
    "KeQueryInterruptTimePrecise",
    "KeQueryPerformanceCounter",
    "KeQuerySystemTime",
    "KeQuerySystemTimePrecise",
    "KeQueryTickCount",
    "KeQueryTimeIncrement",
    "KeQueryUnbiasedInterruptTime",
    "KeStallExecutionProcessor",
]  # fmt: skip

PERFORMANCE_FREQUENCY = 10_000_000
"""Counts per second: what Windows 10 and later report on current machines."""

TIME_INCREMENT = 156_250
"""The clock tick in 100 ns, Windows' default of 64 ticks per second."""

LONGEST_STALL = 50
"""Microseconds: what nf-wdm-kestallexecutionprocessor tells drivers not to exceed."""


def KeQuerySystemTime(CurrentTime: LARGE_INTEGER) -> None:
    """100 ns since 1601-01-01 UTC."""
    driver = current_host().driver
    CurrentTime.QuadPart = UNIX_EPOCH_IN_SYSTEM_TIME + (driver.epoch + driver.now()) // 100


KeQuerySystemTimePrecise = KeQuerySystemTime


def KeQueryInterruptTime() -> int:
    """100 ns since the host started."""
    return current_host().driver.now() // 100


KeQueryUnbiasedInterruptTime = KeQueryInterruptTime


def KeQueryInterruptTimePrecise(QpcTimeStamp: list[int]) -> int:
    """The same; `QpcTimeStamp` receives the performance counter of that moment."""
    now = KeQueryInterruptTime()
    QpcTimeStamp[:] = [now]
    return now


def KeQueryPerformanceCounter(PerformanceFrequency: LARGE_INTEGER | None) -> LARGE_INTEGER:
    if PerformanceFrequency is not None:
        PerformanceFrequency.QuadPart = PERFORMANCE_FREQUENCY
    return LARGE_INTEGER(KeQueryInterruptTime())


def KeQueryTickCount(CurrentCount: LARGE_INTEGER) -> None:
    """Clock ticks since the host started, each of `KeQueryTimeIncrement()` times 100 ns."""
    CurrentCount.QuadPart = KeQueryInterruptTime() // TIME_INCREMENT


def KeQueryTimeIncrement() -> int:
    return TIME_INCREMENT


def KeStallExecutionProcessor(MicroSeconds: int) -> None:
    """Other processors go on meanwhile, unless in virtual time the caller is at DISPATCH_LEVEL: then nothing else runs.

    There the stall ends after `LONGEST_STALL` at the latest, so that a mistaken number cannot hold up everything.
    """
    if KeGetCurrentIrql() >= DISPATCH_LEVEL:
        time.sleep(min(MicroSeconds, LONGEST_STALL) / 1_000_000)
        return
    driver = current_host().driver
    driver.block(never, "KeStallExecutionProcessor", Instant(driver.now() + MicroSeconds * 1000))
