"""The Time service (RFC 868): the seconds since 1900 in 32 bits, which begin anew on 7 February 2036."""

from __future__ import annotations

from wsknet.apps.irps import submit
from wsknet.apps.service import SECOND, Connection, Service, elements, system_time
from wsknet.wsk import NTSTATUS, STATUS_SUCCESS, WSK_DATA_INDICATION, WSK_DATAGRAM_INDICATION, WSK_SOCKET
from wsknet.wsk.simple import buffer

SECONDS_FROM_1601_TO_1900 = 9_435_484_800
"""299 years, 72 of them with 366 days."""
LINGER = 10 * SECOND
"""How long a client may take to close after we have."""


def time_now() -> bytes:
    """By the clock of the current host, in network order."""
    return (system_time() // SECOND - SECONDS_FROM_1601_TO_1900 & 0xFFFF_FFFF).to_bytes(4, "big")


class TimeConnection(Connection):
    def started(self) -> None:
        self.deadline = system_time() + LINGER
        self.send(buffer(time_now()))
        self.finish()

    def received(self, Indication: WSK_DATA_INDICATION, length: int, BytesAccepted: list[int]) -> NTSTATUS:
        return STATUS_SUCCESS


class Time(Service):
    name = "time"
    default_port = 37
    summary = "tells the seconds since 1900 (RFC 868)"
    connection_class = TimeConnection
    has_deadlines = True

    def datagrams(self, Socket: WSK_SOCKET, Indication: WSK_DATAGRAM_INDICATION) -> NTSTATUS:
        """Whatever a datagram holds, it asks for the time."""
        for element in elements(Indication):
            submit(Socket.Dispatch.WskSendTo, Socket, buffer(time_now()), 0, element.RemoteAddress, 0, None)
        return STATUS_SUCCESS
