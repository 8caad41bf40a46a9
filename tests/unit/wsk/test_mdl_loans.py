"""An MDL that a pending request has stays as it is until the IRP completes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.wsk_lab import FAR, FAR6, Lab, start
from tests.support.wsk_lab import lab as laboratory
from wsknet import wsk as w
from wsknet.wsk import BugCheck


@pytest.fixture
def lab() -> Iterator[Lab]:
    with laboratory() as made:
        yield made


def lock(Mdl: w.MDL) -> None:
    w.MmProbeAndLockPages(Mdl, w.KernelMode, w.IoReadAccess)


def chain(make: Callable[[w.MDL], None]) -> list[w.MDL]:
    """Two elements of four bytes each."""
    elements = []
    for _ in range(2):
        Mdl = w.IoAllocateMdl(bytearray(4), 4, False, False, None)
        assert Mdl is not None
        make(Mdl)
        elements.append(Mdl)
    elements[0].Next = elements[1]
    return elements


@pytest.mark.rule("R-351")
@pytest.mark.parametrize(
    ("make", "take_away"), [(w.MmBuildMdlForNonPagedPool, w.IoFreeMdl), (lock, w.MmUnlockPages)], ids=["free", "unlock"]
)
@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("address", [FAR, FAR6])
def test_what_a_receive_has_can_be_taken_away_only_after_it(
    lab: Lab, make: Callable[[w.MDL], None], take_away: Callable[[w.MDL], Any], at: int, address: str
) -> None:
    any_address, family = ("0.0.0.0", w.AF_INET) if address == FAR else ("::", w.AF_INET6)
    Socket = lab.datagram(lab.near, 0, any_address, AddressFamily=family)
    elements = chain(make)
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, w.WSK_BUF(elements[0], 0, 8), 0, None, [0], None, None)
    before = elements[at].MdlFlags
    with pytest.raises(BugCheck) as stop:
        take_away(elements[at])
    assert (stop.value.code, stop.value.rule, elements[at].MdlFlags) == (0xC4, "R-351", before)
    w.IoCancelIrp(request.Irp)

    assert request.status == w.STATUS_CANCELLED
    take_away(elements[at])
    assert elements[at].MdlFlags != before
