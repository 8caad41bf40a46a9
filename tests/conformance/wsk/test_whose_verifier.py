"""An IRP is judged by the verifier of the host that it belongs to, and nothing stays behind after a callback."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import Lab, start
from wsknet.wsk import (
    IRP,
    NTSTATUS,
    PASSIVE_LEVEL,
    SOCKADDR_IN,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_SUCCESS,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_FLAG_LISTEN_SOCKET,
    BugCheck,
    IoAllocateIrp,
    IoFreeIrp,
    IoSetCompletionRoutine,
    KeGetCurrentIrql,
    kernel_of,
    simple,
    verify,
)


@pytest.fixture
def Irp(lab: Lab) -> IRP:
    """Of the near host, which is verified; the far one is not, and is current in the tests."""
    verify(lab.near)
    verify(lab.far, False)
    made = IoAllocateIrp(1, False)
    assert made is not None
    return made


@pytest.mark.rule("R-049")
def test_freeing_twice_under_another_host(lab: Lab, Irp: IRP) -> None:
    with lab.far.activate():
        IoFreeIrp(Irp)
        with pytest.raises(BugCheck, match="R-049"):
            IoFreeIrp(Irp)
    verifier = kernel_of(lab.near).verifier
    assert verifier is not None
    assert Irp not in verifier.irps


@pytest.mark.rule("R-071")
def test_a_callback_leaves_the_level_as_it_was(lab: Lab) -> None:
    levels: list[int] = []

    def WskAcceptEvent(*arguments: object) -> NTSTATUS:
        levels.append(KeGetCurrentIrql())
        return STATUS_SUCCESS

    listener = lab.listener(Dispatch=WSK_CLIENT_LISTEN_DISPATCH(WskAcceptEvent))
    assert listener.Dispatch is not None
    assert simple.control_events(listener, WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    lab.connected()

    assert levels == [2]
    assert KeGetCurrentIrql() == PASSIVE_LEVEL


@pytest.mark.rule("R-060")
def test_an_irp_that_was_refused_with_a_bug_check_can_be_used_again(lab: Lab) -> None:
    listener = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, port=0)
    Irp = IoAllocateIrp(1, False)
    assert Irp is not None
    seen: list[int] = []

    def routine(DeviceObject: object, Irp: IRP, Context: object) -> NTSTATUS:
        seen.append(Irp.IoStatus.Status)
        return STATUS_MORE_PROCESSING_REQUIRED

    IoSetCompletionRoutine(Irp, routine, None, True, True, True)
    with pytest.raises(BugCheck, match="an argument is not what the function takes"):
        listener.Dispatch.WskAccept(listener, "flags", None, None, None, None, Irp)
    assert seen == []
    IoSetCompletionRoutine(Irp, routine, None, True, True, True)
    listener.Dispatch.WskGetLocalAddress(listener, SOCKADDR_IN(), Irp)
    assert seen == [STATUS_SUCCESS]
    assert start(listener.Dispatch.WskCloseSocket, listener).status == STATUS_SUCCESS
