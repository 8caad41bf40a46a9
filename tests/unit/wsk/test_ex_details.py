"""Pool with and without a verifier, and lists of which something is missing."""

from __future__ import annotations

import pytest

from wsknet import wsk as w
from wsknet.host import Host
from wsknet.wsk import LIST_ENTRY, BugCheck, verify

TAG = 0x31746573


def allocate() -> bytearray:
    memory = w.ExAllocatePool2(w.POOL_FLAG_NON_PAGED, 16, TAG)
    assert memory is not None
    return memory


def test_the_place_of_an_allocation_is_kept_for_the_verifier_alone(host: Host) -> None:
    verified = allocate()
    verify(host, False)
    unverified = allocate()

    with_place, without = w.kernel_of(host).leaks()
    assert with_place.startswith("16 bytes of pool, tag 0x31746573 from ")
    assert with_place.endswith(" in allocate")
    assert without == "16 bytes of pool, tag 0x31746573"
    w.ExFreePool(verified)
    w.ExFreePoolWithTag(unverified, TAG)
    assert not w.kernel_of(host).leaks()


@pytest.mark.rule("D-19")
def test_without_a_verifier_misuse_of_pool_changes_nothing(host: Host) -> None:
    verify(host, False)
    memory = allocate()
    w.ExFreePoolWithTag(memory, TAG + 1)
    w.ExFreePool(bytearray(16))
    assert w.ExAllocatePool2(w.POOL_FLAG_NON_PAGED, 16, 0) is None

    assert len(w.kernel_of(host).pool) == 1
    w.ExFreePool(memory)
    assert not w.kernel_of(host).pool


@pytest.mark.rule("D-19")
@pytest.mark.parametrize("end", ["Flink", "Blink"])
def test_an_entry_with_one_link_is_none(host: Host, end: str) -> None:
    head, entry = LIST_ENTRY(), LIST_ENTRY()
    w.InitializeListHead(head)
    w.InsertTailList(head, entry)
    setattr(entry, end, None)

    with pytest.raises(BugCheck) as stop:
        w.RemoveEntryList(entry)
    assert (stop.value.code, stop.value.rule) == (0x50, "D-19")
