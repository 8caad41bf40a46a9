"""The Character Generator service (RFC 864): lines of 72 characters, each starting one further, as fast as they go."""

from __future__ import annotations

from typing import ClassVar

from wsknet.apps.irps import submit
from wsknet.apps.service import Connection, Service, elements
from wsknet.wsk import (
    NTSTATUS,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_DATA_INDICATION,
    WSK_DATAGRAM_INDICATION,
    WSK_SOCKET,
)
from wsknet.wsk.simple import buffer

PRINTABLE = bytes(range(32, 127))
LINE_LENGTH = 72
PERIOD = b"".join((PRINTABLE * 2)[start : start + LINE_LENGTH] + b"\r\n" for start in range(len(PRINTABLE)))
"""The lines of one full turn; after them the first comes again."""
DATAGRAM_LINES = 6
"""RFC 864 allows 0 to 512 characters in a datagram; six lines are 444."""


class SourceConnection(Connection):
    """Keeps the pipe full: each buffer is lent again as soon as it has been acknowledged."""

    lent: ClassVar[tuple[bytes, ...]]

    def __init__(self, service: Service, Socket: WSK_SOCKET) -> None:
        super().__init__(service, Socket)
        self._buffers = [buffer(data) for data in self.lent]

    def started(self) -> None:
        for lent in self._buffers:
            self._send_again(lent)

    def received(self, Indication: WSK_DATA_INDICATION, length: int, BytesAccepted: list[int]) -> NTSTATUS:
        return STATUS_SUCCESS

    def _send_again(self, lent: WSK_BUF) -> None:
        if not self.peer_finished and not self.is_closing:
            self.send(lent, lambda Status: self._send_again(lent) if Status == STATUS_SUCCESS else None)


class ChargenConnection(SourceConnection):
    lent = (PERIOD, PERIOD)


class Chargen(Service):
    name = "chargen"
    default_port = 19
    summary = "sends lines of characters without end (RFC 864)"
    connection_class = ChargenConnection

    def datagrams(self, Socket: WSK_SOCKET, Indication: WSK_DATAGRAM_INDICATION) -> NTSTATUS:
        for element in elements(Indication):
            answer = buffer(PERIOD[: DATAGRAM_LINES * (LINE_LENGTH + 2)])
            submit(Socket.Dispatch.WskSendTo, Socket, answer, 0, element.RemoteAddress, 0, None)
        return STATUS_SUCCESS
