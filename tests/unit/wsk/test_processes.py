"""Processes, thread numbers and references to objects."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.host import Host, Network
from wsknet.wsk import BugCheck


def test_driver_code_runs_in_the_system_process_of_its_host(network: Network, host: Host) -> None:
    process = w.PsGetCurrentProcess()
    assert w.IoGetCurrentProcess() is process
    assert process.Account == "SYSTEM"
    assert w.PsGetProcessId(process) == w.PsGetCurrentProcessId() == 4
    alice, bob = w.EPROCESS("alice"), w.EPROCESS("bob")
    numbers = [w.PsGetProcessId(alice), w.PsGetProcessId(bob), w.PsGetProcessId(alice)]
    assert numbers[0] == numbers[2] != numbers[1]
    with network.host("other").activate():
        assert w.PsGetCurrentProcess() is not process


def test_threads_have_numbers_and_references_are_counted(network: Network, host: Host) -> None:
    seen: list[int] = []
    threads: list[w.KTHREAD] = []
    for _ in range(2):
        handle: list[Any] = []
        w.PsCreateSystemThread(handle, 0, None, None, None, lambda context: seen.append(w.PsGetCurrentThreadId()), None)
        assert (
            w.ObReferenceObjectByHandle(handle[0], 0, "Event", w.KernelMode, [], None) == w.STATUS_OBJECT_TYPE_MISMATCH
        )
        found: list[Any] = []
        w.ObReferenceObjectByHandleWithTag(handle[0], 0, w.PsThreadType, w.KernelMode, 1, found, None)
        threads += found
    network.run_for(1)

    assert seen == [w.PsGetThreadId(thread) for thread in threads]
    assert len(set(seen)) == 2
    assert w.PsGetCurrentThreadId() == 0
    w.ObReferenceObject(threads[0])
    w.ObDereferenceObjectWithTag(threads[0], 1)
    w.ObDereferenceObject(threads[0])
    with pytest.raises(BugCheck, match="REFERENCE_BY_POINTER"):
        w.ObDereferenceObject(threads[0])


def test_a_thread_does_not_end_itself_above_passive_level(network: Network, host: Host) -> None:
    def routine(context: object) -> None:
        w.KeRaiseIrql(w.APC_LEVEL, [])
        w.PsTerminateSystemThread(w.STATUS_SUCCESS)

    w.PsCreateSystemThread([], 0, None, None, None, routine, None)
    with pytest.raises(BugCheck, match="ends itself above PASSIVE_LEVEL"):
        network.run_for(1)
