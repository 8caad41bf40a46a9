"""Deferred procedure calls that come later: what KeFlushQueuedDpcs waits for."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet.drivers.disturbance import Completing
from wsknet.host import Host, Network
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    KDPC,
    KeDelayExecutionThread,
    KeFlushQueuedDpcs,
    KeInitializeDpc,
    KeInsertQueueDpc,
    KeRemoveQueueDpc,
    KernelMode,
    faults_of,
)

DELAY = 10 * MILLISECOND


@pytest.fixture
def ran(network: Network, host: Host) -> list[tuple[str, int]]:
    """Which DPC ran when, in ms.  Each is held up for 10 ms."""
    faults_of(host).complete(Completing.PENDING, delay=DELAY)
    return []


def queued(network: Network, ran: list[tuple[str, int]], name: str) -> KDPC:
    Dpc = KDPC()

    def routine(*arguments: Any) -> None:
        ran.append((name, network.driver.now() // MILLISECOND))

    KeInitializeDpc(Dpc, routine, None)
    assert KeInsertQueueDpc(Dpc, None, None)
    return Dpc


def sleep(milliseconds: int) -> None:
    KeDelayExecutionThread(KernelMode, False, -10_000 * milliseconds)


def flushed(network: Network) -> int:
    """How many ms after the start KeFlushQueuedDpcs has returned."""
    KeFlushQueuedDpcs()
    return network.driver.now() // MILLISECOND


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_flush_waits_for_all_that_is_queued(network: Network, ran: list[tuple[str, int]], count: int) -> None:
    names = "abc"[:count]
    for name in names:
        queued(network, ran, name)

    assert flushed(network) == 10
    assert ran == [(name, 10) for name in names]


def test_a_flush_with_nothing_queued_returns_at_once(network: Network, ran: list[tuple[str, int]]) -> None:
    assert flushed(network) == 0
    Dpc = queued(network, ran, "removed")
    assert KeRemoveQueueDpc(Dpc)
    assert flushed(network) == 0
    sleep(20)
    assert ran == []


def test_a_removed_dpc_can_be_queued_again(network: Network, ran: list[tuple[str, int]]) -> None:
    """Its first place in the queue comes to nothing."""
    Dpc = queued(network, ran, "once")
    assert KeRemoveQueueDpc(Dpc)
    assert KeInsertQueueDpc(Dpc, None, None)
    assert flushed(network) == 10
    sleep(20)

    assert ran == [("once", 10)]


def test_a_new_dpc_has_no_context_and_no_arguments() -> None:
    Dpc = KDPC()
    assert Dpc.DeferredRoutine is None
    assert (Dpc.DeferredContext, Dpc.SystemArgument1, Dpc.SystemArgument2) == (None, None, None)
