"""How much memory something has taken, as tracemalloc counts it."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable


def traced_size() -> int:
    """Bytes allocated since tracemalloc was started and not freed."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def growth(action: Callable[[], object]) -> int:
    """Bytes more than before when `action` has returned."""
    tracemalloc.start()
    try:
        before = traced_size()
        action()
        return traced_size() - before
    finally:
        tracemalloc.stop()


def growth_after(fill: Callable[[], object], action: Callable[[], object]) -> int:
    """Bytes that `action` takes when `fill` has filled every table."""
    tracemalloc.start()
    try:
        fill()
        before = traced_size()
        action()
        return traced_size() - before
    finally:
        tracemalloc.stop()
