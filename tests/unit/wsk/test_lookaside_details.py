"""Lookaside lists: what they give again, what kind of pool they take, and how that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.support.wsk_registration import at_level
from wsknet import wsk as w
from wsknet.host import Host
from wsknet.wsk import DISPATCH_LEVEL, BugCheck

TAG = 0x31746573
SIZE = 24


class Kind(NamedTuple):
    name: str
    new: Callable[[], Any]
    """An initialized one."""
    is_paged: bool

    def take(self, Lookaside: Any) -> Any:
        return getattr(w, f"ExAllocateFrom{self.name}")(Lookaside)

    def give(self, Lookaside: Any, Entry: Any) -> None:
        getattr(w, f"ExFreeTo{self.name}")(Lookaside, Entry)

    def delete(self, Lookaside: Any) -> None:
        getattr(w, f"ExDelete{self.name}")(Lookaside)


def extended(PoolType: int) -> Callable[[], w.LOOKASIDE_LIST_EX]:
    def new() -> w.LOOKASIDE_LIST_EX:
        Lookaside = w.LOOKASIDE_LIST_EX()
        status = w.ExInitializeLookasideListEx(Lookaside, None, None, PoolType, 0, SIZE, TAG, 0)
        assert status == w.STATUS_SUCCESS
        return Lookaside

    return new


def nonpaged() -> w.NPAGED_LOOKASIDE_LIST:
    Lookaside = w.NPAGED_LOOKASIDE_LIST()
    w.ExInitializeNPagedLookasideList(Lookaside, None, None, 0, SIZE, TAG, 0)
    return Lookaside


def paged() -> w.PAGED_LOOKASIDE_LIST:
    Lookaside = w.PAGED_LOOKASIDE_LIST()
    w.ExInitializePagedLookasideList(Lookaside, None, None, 0, SIZE, TAG, 0)
    return Lookaside


KINDS = [
    Kind("LookasideListEx", extended(w.NonPagedPoolNx), False),
    Kind("LookasideListEx", extended(w.PagedPool), True),
    Kind("NPagedLookasideList", nonpaged, False),
    Kind("PagedLookasideList", paged, True),
]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=["ex", "ex-paged", "nonpaged", "paged"])


@each_kind
def test_what_is_freed_last_is_given_first_and_as_it_was(host: Host, kind: Kind) -> None:
    Lookaside, pool = kind.new(), w.kernel_of(host).pool
    first, second = kind.take(Lookaside), kind.take(Lookaside)
    assert (bytes(first), len(pool)) == (bytes(SIZE), 2)
    second[:4] = b"used"
    kind.give(Lookaside, first)
    kind.give(Lookaside, second)

    assert kind.take(Lookaside) is second
    assert kind.take(Lookaside) is first
    assert (bytes(second[:4]), len(pool)) == (b"used", 2)
    assert len(kind.take(Lookaside)) == SIZE
    assert [block.Tag for block in pool.values()] == [TAG] * 3


@each_kind
@pytest.mark.rule("D-19")
def test_only_nonpaged_entries_are_for_dispatch_level(host: Host, kind: Kind) -> None:
    Lookaside = kind.new()
    with at_level(DISPATCH_LEVEL):
        if not kind.is_paged:
            assert kind.take(Lookaside) is not None
            return
        with pytest.raises(BugCheck) as stop:
            kind.take(Lookaside)
    assert (stop.value.code, stop.value.rule) == (0xC2, "D-19")
    assert kind.take(Lookaside) is not None


@each_kind
def test_an_allocation_fails_by_its_name_whether_there_are_entries_or_not(host: Host, kind: Kind) -> None:
    Lookaside = kind.new()
    for _ in range(2):
        w.faults_of(host).fail_allocation(f"ExAllocateFrom{kind.name}")
        assert kind.take(Lookaside) is None
        kind.give(Lookaside, kind.take(Lookaside))
    assert len(w.kernel_of(host).pool) == 1


@each_kind
def test_a_list_keeps_four_entries_and_lets_go_of_all_when_it_is_deleted(host: Host, kind: Kind) -> None:
    Lookaside, pool = kind.new(), w.kernel_of(host).pool
    entries = [kind.take(Lookaside) for _ in range(6)]
    for left, entry in zip([6, 6, 6, 6, 5, 4], entries, strict=True):
        kind.give(Lookaside, entry)
        assert len(pool) == left
    kind.delete(Lookaside)
    assert not pool
    with pytest.raises(BugCheck, match="BAD_POOL_CALLER"):
        kind.give(Lookaside, entries[0])


def test_pool_taken_for_a_list_belongs_to_it_alone(host: Host) -> None:
    one, other = nonpaged(), nonpaged()
    entry = w.ExAllocateFromNPagedLookasideList(one)
    with pytest.raises(BugCheck, match="not from this list"):
        w.ExFreeToNPagedLookasideList(other, entry)
    w.ExFreeToNPagedLookasideList(one, entry)


@pytest.mark.parametrize("PoolType", [w.NonPagedPool, w.PagedPool, w.NonPagedPoolNx])
def test_a_routine_of_the_driver_is_told_what_the_list_was_made_with(host: Host, PoolType: int) -> None:
    asked: list[Any] = []

    def Allocate(*arguments: Any) -> bytearray:
        asked.append(arguments)
        return bytearray(SIZE)

    Lookaside = w.LOOKASIDE_LIST_EX()
    w.ExInitializeLookasideListEx(Lookaside, Allocate, lambda Buffer, Lookaside: None, PoolType, 0, SIZE, TAG, 0)
    w.ExFreeToLookasideListEx(Lookaside, w.ExAllocateFromLookasideListEx(Lookaside))
    w.ExDeleteLookasideListEx(Lookaside)

    assert asked == [(PoolType, SIZE, TAG, Lookaside)]


def test_what_a_new_list_is() -> None:
    new = w.LOOKASIDE_LIST_EX()
    assert (new.PoolType, new.Size, new.Tag) == (w.NonPagedPoolNx, 0, 0)
