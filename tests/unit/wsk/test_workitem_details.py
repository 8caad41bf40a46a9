"""Work items: the books of the verifier, and misuse with its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.host import Host, Network
from wsknet.wsk import BugCheck

WORKER_INVALID = 0xE4


def allocated() -> w.IO_WORKITEM:
    item = w.IoAllocateWorkItem("device")
    assert item is not None
    return item


def test_work_items_that_are_left_are_told_with_their_place(host: Host) -> None:
    items = [allocated(), allocated()]
    leaks = w.kernel_of(host).leaks()
    assert len(leaks) == 2
    assert all("a work item from " in line and "test_workitem_details.py" in line for line in leaks)
    w.IoFreeWorkItem(items[0])
    assert len(w.kernel_of(host).leaks()) == 1
    w.IoFreeWorkItem(items[1])

    assert w.kernel_of(host).leaks() == []


@pytest.mark.parametrize("is_verified_in_the_end", [False, True])
def test_the_verifier_may_come_and_go_between_allocating_and_freeing(host: Host, is_verified_in_the_end: bool) -> None:
    w.verify(host, not is_verified_in_the_end)
    item = allocated()
    w.verify(host, is_verified_in_the_end)
    w.IoFreeWorkItem(item)

    assert w.kernel_of(host).leaks() == []


def do_nothing(*arguments: Any) -> None:
    """A worker routine of any kind."""


def queued_twice() -> None:
    item = allocated()
    w.IoQueueWorkItem(item, do_nothing, w.DelayedWorkQueue, None)
    w.IoQueueWorkItemEx(item, do_nothing, w.DelayedWorkQueue, None)


def freed_while_it_is_queued() -> None:
    item = allocated()
    w.IoQueueWorkItem(item, do_nothing, w.DelayedWorkQueue, None)
    w.IoFreeWorkItem(item)


def queued_after_it_was_freed() -> None:
    item = allocated()
    w.IoFreeWorkItem(item)
    w.IoQueueWorkItem(item, do_nothing, w.DelayedWorkQueue, None)


def freed_twice() -> None:
    item = allocated()
    w.IoFreeWorkItem(item)
    w.IoFreeWorkItem(item)


def of_the_executive_queued_twice() -> None:
    item = w.WORK_QUEUE_ITEM()
    w.ExInitializeWorkItem(item, do_nothing, None)
    w.ExQueueWorkItem(item, w.DelayedWorkQueue)
    w.ExQueueWorkItem(item, w.DelayedWorkQueue)


@pytest.mark.rule("D-19")
@pytest.mark.parametrize(
    "misuse",
    [
        queued_twice,
        freed_while_it_is_queued,
        queued_after_it_was_freed,
        freed_twice,
        lambda: w.IoQueueWorkItem(w.IO_WORKITEM(), do_nothing, w.DelayedWorkQueue, None),
        lambda: w.IoUninitializeWorkItem(w.IO_WORKITEM()),
        of_the_executive_queued_twice,
        lambda: w.ExQueueWorkItem(w.WORK_QUEUE_ITEM(), w.CriticalWorkQueue),
    ],
)
def test_a_work_item_is_queued_once_and_freed_once(host: Host, misuse: Callable[[], None]) -> None:
    with pytest.raises(BugCheck) as stop:
        misuse()

    assert (stop.value.code, stop.value.rule) == (WORKER_INVALID, "D-19")


def test_an_item_of_zeroed_memory_has_no_parameter(network: Network, host: Host) -> None:
    item, seen = w.WORK_QUEUE_ITEM(), list[Any]()
    item.WorkerRoutine = seen.append
    w.ExQueueWorkItem(item, w.DelayedWorkQueue)
    network.run_for(1)

    assert seen == [None]
