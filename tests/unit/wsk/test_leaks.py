"""What the books of the verifier say about pool and MDLs, and memory that a pending request has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.wsk_lab import Lab, start
from tests.support.wsk_lab import lab as laboratory
from wsknet import wsk as w
from wsknet.host import Host
from wsknet.wsk import BugCheck

TAG = 0x31746573


@pytest.fixture
def lab() -> Iterator[Lab]:
    with laboratory() as made:
        yield made


def test_pool_and_mdls_that_are_left_are_told_with_their_place(host: Host) -> None:
    kernel = w.kernel_of(host)
    memory = w.ExAllocatePoolZero(w.NonPagedPoolNx, 16, TAG)
    assert memory is not None
    Mdl = w.IoAllocateMdl(memory, 16, False, False, None)
    assert Mdl is not None
    leaks = kernel.leaks()
    assert len(leaks) == 2
    assert all("test_leaks.py" in line for line in leaks)
    w.IoFreeMdl(Mdl)
    w.ExFreePoolWithTag(memory, TAG)

    assert kernel.leaks() == []


@pytest.mark.rule("R-351")
def test_pool_that_a_pending_receive_has_must_not_be_freed(lab: Lab) -> None:
    near, _ = lab.pair()
    memory = w.ExAllocatePoolZero(w.NonPagedPoolNx, 16, TAG)
    assert memory is not None
    Mdl = w.IoAllocateMdl(memory, 16, False, False, None)
    assert Mdl is not None
    w.MmBuildMdlForNonPagedPool(Mdl)
    request = start(near.Dispatch.WskReceive, near, w.WSK_BUF(Mdl, 0, 16), 0)
    with pytest.raises(BugCheck, match="R-351"):
        w.ExFreePoolWithTag(memory, TAG)
    w.IoCancelIrp(request.Irp)

    assert request.status == w.STATUS_CANCELLED
    w.ExFreePoolWithTag(memory, TAG)
