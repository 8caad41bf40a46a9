"""The Echo service (RFC 862): what comes in goes back out."""

from __future__ import annotations

from typing import Any

from wsknet.apps.irps import submit
from wsknet.apps.service import Connection, Service, elements
from wsknet.wsk import (
    NTSTATUS,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_PENDING,
    WSK_BUF,
    WSK_DATA_INDICATION,
    WSK_DATAGRAM_INDICATION,
    WSK_SOCKET,
)

HIGH_WATER = 1 << 20
"""Bytes on their way back, above which no more are taken: a peer that never reads must not fill the memory."""


class EchoConnection(Connection):
    """Sends the indications themselves, without a copy: each list is kept until it has been acknowledged."""

    def __init__(self, service: Service, Socket: WSK_SOCKET) -> None:
        super().__init__(service, Socket)
        self._outstanding = 0
        self._is_held = False

    def received(self, Indication: WSK_DATA_INDICATION, length: int, BytesAccepted: list[int]) -> NTSTATUS:
        if self._outstanding >= HIGH_WATER:
            self._is_held = True
            return STATUS_DATA_NOT_ACCEPTED
        self._outstanding += length
        buffers = elements(Indication)
        last = buffers[-1]
        for element in buffers:
            self.send(element.Buffer, (lambda Status: self._returned(Indication, length)) if element is last else None)
        return STATUS_PENDING

    def _returned(self, Indication: WSK_DATA_INDICATION, length: int) -> None:
        self.Socket.Dispatch.WskRelease(self.Socket, Indication)
        self._outstanding -= length
        if self._is_held and self._outstanding < HIGH_WATER // 2 and not self.is_closing:
            self._is_held = False
            submit(self.Socket.Dispatch.WskReceive, self.Socket, WSK_BUF(None, 0, 0), 0)


class Echo(Service):
    name = "echo"
    default_port = 7
    summary = "sends back what it receives (RFC 862)"
    connection_class = EchoConnection

    def datagrams(self, Socket: WSK_SOCKET, Indication: WSK_DATAGRAM_INDICATION) -> NTSTATUS:
        waiting = elements(Indication)
        remaining = len(waiting)

        def sent(Status: NTSTATUS, Information: Any) -> None:
            nonlocal remaining
            remaining -= 1
            if not remaining:
                Socket.Dispatch.WskRelease(Socket, Indication)

        for element in waiting:
            submit(Socket.Dispatch.WskSendTo, Socket, element.Buffer, 0, element.RemoteAddress, 0, None, done=sent)
        return STATUS_PENDING
