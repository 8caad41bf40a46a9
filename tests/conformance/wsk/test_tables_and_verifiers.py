"""A function of a dispatch table with a socket of another kind, or none: whose verifier speaks, and what it answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, ok
from wsknet.wsk import (
    DISPATCH_LEVEL,
    KEVENT,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    BugCheck,
    Executive,
    IoAllocateIrp,
    IoFreeIrp,
    KeInitializeEvent,
    KeLowerIrql,
    KeRaiseIrql,
    KernelMode,
    KeWaitForSingleObject,
    NotificationEvent,
    simple,
    verify,
)


@pytest.mark.parametrize("member", ["WskBind", "WskGetLocalAddress", "WskRelease", "WskDisconnect"])
@pytest.mark.parametrize("wrong", [None, object(), "of another kind"], ids=["NULL", "object", "other"])
def test_the_verifier_of_the_socket_decides_and_without_it_there_is_a_status(lab: Lab, member: str, wrong: Any) -> None:
    right = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    other = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)
    call = getattr(right.Dispatch, member)
    given = other if wrong == "of another kind" else wrong
    arguments = (None,) * (call.__wrapped__.__code__.co_argcount - 1)
    for host in (lab.near, lab.far):
        verify(host)
    with lab.near.activate(), pytest.raises(BugCheck, match=r"WSK-3\.3"):
        call(given, *arguments)
    verify(lab.near, False)
    with lab.near.activate():
        assert call(given, *arguments) == STATUS_INVALID_PARAMETER
    if given is other:
        with lab.far.activate():
            assert call(given, *arguments) == STATUS_INVALID_PARAMETER
        verify(lab.near)
        verify(lab.far, False)
        with lab.far.activate(), pytest.raises(BugCheck, match=r"WSK-3\.3"):
            call(given, *arguments)
    for each in (right, other):
        ok(simple.close(each))


def test_a_checked_function_answers_its_status_where_nobody_verifies(lab: Lab) -> None:
    Event = KEVENT()
    KeInitializeEvent(Event, NotificationEvent, False)
    verify(lab.near, False)
    with lab.near.activate():
        level: list[int] = []
        KeRaiseIrql(DISPATCH_LEVEL, level)
        assert KeWaitForSingleObject(Event, Executive, KernelMode, False, None) == STATUS_INVALID_PARAMETER
        KeLowerIrql(level[0])


def test_a_checked_function_takes_its_arguments_by_name(lab: Lab) -> None:
    Event = KEVENT()
    KeInitializeEvent(Event, NotificationEvent, True)
    with lab.near.activate():
        status = KeWaitForSingleObject(Event, WaitReason=Executive, WaitMode=KernelMode, Alertable=False, Timeout=None)
        assert status == STATUS_SUCCESS
        Irp = IoAllocateIrp(StackSize=1, ChargeQuota=False)
        assert Irp is not None
        IoFreeIrp(Irp)
