"""An IRP that pends in the subsystem is nobody else's to complete or to pass on, though it has locations to spare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import NEAR, NEAR6, Lab, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IRP,
    NPI_WSK_INTERFACE_ID,
    SO_WSK_EVENT_CALLBACK,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_INVALID_PARAMETER,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_EVENT_DISABLE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_SOCKET,
    WSK_TRANSPORT_LIST_CHANGE,
    BugCheck,
    IoAllocateIrp,
    IoCancelIrp,
    IoCompleteRequest,
    IoSetCompletionRoutine,
    WskSetOption,
    simple,
    verify,
)

FAMILIES = pytest.mark.parametrize(
    ("family", "wildcard", "near"), [(AF_INET, "0.0.0.0", NEAR), (AF_INET6, "::", NEAR6)], ids=["ipv4", "ipv6"]
)


class Kept:
    """An IRP of two locations and its completions."""

    def __init__(self) -> None:
        Irp = IoAllocateIrp(2, False)
        assert Irp is not None
        self.Irp: IRP = Irp
        self.statuses: list[int] = []
        IoSetCompletionRoutine(Irp, self._routine, None, True, True, True)

    def _routine(self, DeviceObject: Any, Irp: IRP, Context: Any) -> int:
        self.statuses.append(Irp.IoStatus.Status)
        return STATUS_MORE_PROCESSING_REQUIRED

    def require_left_alone(self, lab: Lab, other: WSK_SOCKET) -> None:
        """Nobody can have it while it pends, whether the host is verified or not."""
        arguments = (other, bytearray(28), self.Irp)
        verify(lab.near)
        with pytest.raises(BugCheck, match="R-060"):
            IoCompleteRequest(self.Irp)
        with pytest.raises(BugCheck, match="R-060"):
            other.Dispatch.WskGetLocalAddress(*arguments)
        verify(lab.near, False)
        IoCompleteRequest(self.Irp)
        assert other.Dispatch.WskGetLocalAddress(*arguments) == STATUS_INVALID_PARAMETER
        assert self.statuses == []


@pytest.mark.rule("R-060", "R-326")
def test_the_irp_of_a_transport_list_change(lab: Lab) -> None:
    provider, kept = lab.near_application.provider, Kept()
    change = (provider.Client, WSK_TRANSPORT_LIST_CHANGE, 0, None, 0, None, None)
    assert provider.Dispatch.WskControlClient(*change, kept.Irp) == STATUS_PENDING
    other = lab.datagram(lab.near)

    kept.require_left_alone(lab, other)

    assert IoCancelIrp(kept.Irp)
    assert kept.statuses == [STATUS_CANCELLED]
    assert start(other.Dispatch.WskCloseSocket, other).status == STATUS_SUCCESS
    lab.near_application.close()  # waits for requests that pend


def disable(Socket: WSK_SOCKET, Irp: IRP) -> Any:
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE_FROM | WSK_EVENT_DISABLE)
    option = (WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, Control.SIZE, Control, 0, None, None)
    return Socket.Dispatch.WskControlSocket(Socket, *option, Irp)


def close(Socket: WSK_SOCKET, Irp: IRP) -> Any:
    return Socket.Dispatch.WskCloseSocket(Socket, Irp)


@pytest.mark.rule("R-060", "R-251", "R-294")
@pytest.mark.parametrize("wait", [disable, close])
@FAMILIES
def test_an_irp_that_waits_for_a_callback(
    lab: Lab, family: int, wildcard: str, near: str, wait: Callable[[WSK_SOCKET, IRP], Any]
) -> None:
    kept, seen = Kept(), list[bool]()
    other = lab.datagram(lab.near, 0, wildcard, AddressFamily=family)

    def WskReceiveFromEvent(Context: Any, Flags: int, Indication: Any) -> int:
        assert wait(Socket, kept.Irp) == STATUS_PENDING
        kept.require_left_alone(lab, other)
        seen.append(True)
        return STATUS_SUCCESS

    Dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(WskReceiveFromEvent)
    Socket = lab.datagram(lab.near, 5000, wildcard, AddressFamily=family, Dispatch=Dispatch)
    assert simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM) == STATUS_SUCCESS
    ok(simple.send_to(lab.datagram(lab.far, 0, wildcard, AddressFamily=family), b"x", simple.address(near, 5000)))
    lab.run(1)

    assert (seen, kept.statuses) == ([True], [STATUS_SUCCESS])
    assert kept.Irp.IoStatus.Information == 0
