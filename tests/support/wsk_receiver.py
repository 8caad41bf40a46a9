"""WskReceive on a connection of `wsk_lab`, and a WskReceiveEvent that keeps what it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.wsk_lab import Lab, Request, start
from wsknet.wsk import (
    DISPATCH_LEVEL,
    NTSTATUS,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_DATA_INDICATION,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_SOCKET,
    KeGetCurrentIrql,
    MmGetSystemAddressForMdlSafe,
    NormalPagePriority,
    simple,
)


def receive(Socket: WSK_SOCKET, length: int = 100, Flags: int = 0) -> tuple[Request, bytearray]:
    memory = bytearray(length)
    return start(Socket.Dispatch.WskReceive, Socket, simple.buffer(memory), Flags), memory


def rearm(Socket: WSK_SOCKET) -> Request:
    return start(Socket.Dispatch.WskReceive, Socket, WSK_BUF(None, 0, 0), 0)


class Receiver:
    """A WskReceiveEvent: what it was given, and what it answers next (bytes to accept, or a status)."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.flags: list[int] = []
        self.lists: list[WSK_DATA_INDICATION] = []
        self.ends: list[int] = []
        self.answers: list[int | NTSTATUS] = []
        self.inside: Callable[[], object] | None = None
        self.depth = 0
        self.overlaps = 0
        self.dispatch = WSK_CLIENT_CONNECTION_DISPATCH(self.receive_event, self.disconnect_event, None)

    def receive_event(
        self,
        SocketContext: Any,
        Flags: int,
        DataIndication: WSK_DATA_INDICATION,
        BytesIndicated: int,
        BytesAccepted: list[int],
    ) -> int:
        self.depth += 1
        self.overlaps += self.depth > 1
        Buffer = DataIndication.Buffer
        assert Buffer.Mdl is not None
        data = bytes(MmGetSystemAddressForMdlSafe(Buffer.Mdl, NormalPagePriority)[Buffer.Offset :][: Buffer.Length])
        assert DataIndication.Next is None
        assert BytesIndicated == len(data) == BytesAccepted[0]
        assert SocketContext == "receiver"
        assert KeGetCurrentIrql() == DISPATCH_LEVEL
        self.got.append(data)
        self.flags.append(Flags)
        self.lists.append(DataIndication)
        if self.inside is not None:
            self.inside()
        self.depth -= 1
        answer = self.answers.pop(0) if self.answers else STATUS_SUCCESS
        if isinstance(answer, NTSTATUS):
            if answer != STATUS_SUCCESS:
                BytesAccepted[0] = 1  # ignored
            return answer
        BytesAccepted[0] = answer
        return STATUS_SUCCESS

    def disconnect_event(self, SocketContext: Any, Flags: int) -> NTSTATUS:
        self.ends.append(len(self.got))
        return STATUS_SUCCESS


def pair(
    lab: Lab, receiver: Receiver, events: int = WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT
) -> tuple[WSK_SOCKET, WSK_SOCKET]:
    near, far = lab.pair(SocketContext="receiver", Dispatch=receiver.dispatch)
    if events:
        assert simple.control_events(near, events) == STATUS_SUCCESS
    return near, far
