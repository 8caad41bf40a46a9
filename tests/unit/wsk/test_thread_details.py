"""System threads: their numbers, their names in a deadlock, and references taken with a tag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.drivers.base import DeadlockError
from wsknet.host import Network
from wsknet.wsk import STATUS_OBJECT_TYPE_MISMATCH, STATUS_SUCCESS, BugCheck

pytestmark = pytest.mark.usefixtures("host")

TAG = 0x31746573


def idle(context: object) -> None:
    """Ends at once."""


def start(StartRoutine: Callable[[Any], object]) -> w.HANDLE:
    handle: list[Any] = []
    assert w.PsCreateSystemThread(handle, w.THREAD_ALL_ACCESS, None, None, None, StartRoutine, None) == STATUS_SUCCESS
    made: w.HANDLE = handle[0]
    return made


def thread_of(Handle: w.HANDLE) -> w.KTHREAD:
    found: list[Any] = []
    assert w.ObReferenceObjectByHandle(Handle, 0, w.PsThreadType, w.KernelMode, found, None) == STATUS_SUCCESS
    thread: w.KTHREAD = found[0]
    return thread


def test_threads_of_a_host_have_different_multiples_of_four(network: Network) -> None:
    numbers = [w.PsGetThreadId(thread_of(start(idle))) for _ in range(20)]

    assert len({*numbers, w.PsGetCurrentProcessId()}) == 21
    assert all(isinstance(number, int) and number > 0 and number % 4 == 0 for number in numbers)
    assert max(numbers) < w.PsGetProcessId(w.EPROCESS())


def test_a_deadlock_names_the_host_and_the_routine_of_each_thread(network: Network) -> None:
    def StartRoutine(context: object) -> None:
        w.KeWaitForSingleObject(w.KEVENT(), w.Executive, w.KernelMode, False, None)

    def another(context: object) -> None:
        w.KeWaitForSingleObject(w.KEVENT(), w.Executive, w.KernelMode, False, None)

    start(StartRoutine)
    start(another)
    with pytest.raises(DeadlockError) as stop:
        w.KeWaitForSingleObject(w.KEVENT(), w.Executive, w.KernelMode, False, None)

    for name in ("StartRoutine", "another"):
        assert f"alone: {name} waits for KeWaitForSingleObject in {name}" in str(stop.value)


def test_a_handle_is_referenced_by_its_type_with_a_tag_too(network: Network) -> None:
    handle, found = start(idle), list[Any]()
    status = w.ObReferenceObjectByHandleWithTag(handle, 0, "Event", w.KernelMode, TAG, found, None)
    assert (status, found) == (STATUS_OBJECT_TYPE_MISMATCH, [])
    for kind in (None, w.PsThreadType):
        status = w.ObReferenceObjectByHandleWithTag(handle, 0, kind, w.KernelMode, TAG, found, None)
        assert (status, found) == (STATUS_SUCCESS, [thread_of(handle)])


def test_a_reference_with_a_tag_is_one_like_the_others(network: Network) -> None:
    thread = thread_of(start(idle))
    w.ObReferenceObjectWithTag(thread, TAG)
    w.ObDereferenceObject(thread)
    w.ObDereferenceObjectWithTag(thread, TAG)

    with pytest.raises(BugCheck) as stop:
        w.ObDereferenceObjectWithTag(thread, TAG)
    assert (stop.value.code, stop.value.rule) == (0x18, "D-19")


def test_other_objects_are_not_counted() -> None:
    w.ObReferenceObjectWithTag(w.EPROCESS(), TAG)
    w.ObDereferenceObjectWithTag(w.EPROCESS(), TAG)
