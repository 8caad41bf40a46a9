"""Mutexes that are held once or several at a time, and a semaphore that is not initialized."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsknet.host import Network
from wsknet.wsk import (
    EXCEPTION,
    KMUTEX,
    KSEMAPHORE,
    STATUS_SEMAPHORE_LIMIT_EXCEEDED,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
    BugCheck,
    Executive,
    KeInitializeMutex,
    KeReleaseMutex,
    KeReleaseSemaphore,
    KernelMode,
    KeWaitForMultipleObjects,
    KeWaitForSingleObject,
    PsCreateSystemThread,
    WaitAll,
)

pytestmark = pytest.mark.usefixtures("host")

AT_ONCE = 0


def mutex() -> KMUTEX:
    Mutex = KMUTEX()
    KeInitializeMutex(Mutex, 0)
    return Mutex


def wait(Object: Any) -> int:
    return KeWaitForSingleObject(Object, Executive, KernelMode, False, AT_ONCE)


def run(network: Network, body: Callable[[], object]) -> None:
    """In a system thread, to its end."""
    PsCreateSystemThread([], 0, None, None, None, lambda context: body(), None)
    network.run_for(1)


def test_a_mutex_that_is_held_once_is_not_given_to_another_thread(network: Network) -> None:
    Mutex, answers = mutex(), list[int]()
    assert wait(Mutex) == STATUS_SUCCESS
    run(network, lambda: answers.append(wait(Mutex)))
    KeReleaseMutex(Mutex, False)

    assert answers == [STATUS_TIMEOUT]


def test_a_thread_ends_when_it_has_released_each_of_its_mutexes(network: Network) -> None:
    mutexes, order = [mutex() for _ in range(3)], list[int]()

    def body() -> None:
        found = KeWaitForMultipleObjects(3, mutexes, WaitAll, Executive, KernelMode, False, AT_ONCE, None)
        order.append(found)
        order.extend(KeReleaseMutex(Mutex, False) for Mutex in mutexes)

    run(network, body)

    assert order == [STATUS_SUCCESS, 0, 0, 0]
    assert [wait(Mutex) for Mutex in mutexes] == [STATUS_SUCCESS] * 3
    for Mutex in mutexes:
        KeReleaseMutex(Mutex, False)


@pytest.mark.rule("D-19")
@pytest.mark.parametrize("released", [0, 1])
def test_a_thread_must_not_end_with_one_of_two_mutexes(network: Network, released: int) -> None:
    mutexes = [mutex(), mutex()]

    def body() -> None:
        for Mutex in mutexes:
            wait(Mutex)
        KeReleaseMutex(mutexes[released], False)

    with pytest.raises(BugCheck, match=r"THREAD_TERMINATE_HELD_MUTEX.* holds 1 mutexes"):
        run(network, body)


def test_a_new_semaphore_has_no_room() -> None:
    with pytest.raises(EXCEPTION) as raised:
        KeReleaseSemaphore(KSEMAPHORE(), 0, 1, False)

    assert raised.value.ExceptionCode == STATUS_SEMAPHORE_LIMIT_EXCEEDED
