"""KeRaiseIrql and KeLowerIrql at DISPATCH_LEVEL already: what is postponed comes when the level is below it again."""

from __future__ import annotations

import pytest

from wsknet.host import Host
from wsknet.wsk import (
    APC_LEVEL,
    DISPATCH_LEVEL,
    PASSIVE_LEVEL,
    KeGetCurrentIrql,
    KeLowerIrql,
    KeRaiseIrql,
)

pytestmark = pytest.mark.rule("R-071")


def complete_something(host: Host, done: list[str]) -> None:
    """What a request does that completes: its routine is queued, and the queue drained."""
    with host.pump:
        host.pump.completions.post(done.append, "done")


def test_raising_the_level_again_forgets_nothing_that_is_postponed(host: Host) -> None:
    done: list[str] = []
    levels: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, levels)
    complete_something(host, done)
    again: list[int] = []
    KeRaiseIrql(DISPATCH_LEVEL, again)
    assert (levels, again, done) == ([PASSIVE_LEVEL], [DISPATCH_LEVEL], [])
    KeLowerIrql(PASSIVE_LEVEL)

    assert done == ["done"]


def test_lowering_the_level_to_what_it_is_lets_nothing_run(host: Host) -> None:
    done: list[str] = []
    KeRaiseIrql(DISPATCH_LEVEL, [])
    complete_something(host, done)
    KeLowerIrql(DISPATCH_LEVEL)
    assert (KeGetCurrentIrql(), done) == (DISPATCH_LEVEL, [])
    KeLowerIrql(APC_LEVEL)
    assert done == ["done"]
    KeLowerIrql(PASSIVE_LEVEL)
