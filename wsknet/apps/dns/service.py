"""The DNS service (RFC 1035 4.2, RFC 7766) on UDP and TCP."""

from __future__ import annotations

from typing import Any

from wsknet.apps.dns.zone import Zone
from wsknet.apps.irps import submit
from wsknet.apps.service import SECOND, Connection, Service, elements, system_time
from wsknet.wsk import (
    LARGE_INTEGER,
    NTSTATUS,
    STATUS_SUCCESS,
    THREAD_ALL_ACCESS,
    WSK_DATA_INDICATION,
    WSK_DATAGRAM_INDICATION,
    WSK_SOCKET,
    KeDelayExecutionThread,
    KernelMode,
    PsCreateSystemThread,
    ZwClose,
)
from wsknet.wsk.mdl import views_of
from wsknet.wsk.simple import buffer

IDLE = 10 * SECOND
"""How long a connection may stay without a query (RFC 7766 6.2.3: some seconds)."""
MOST_CONNECTIONS = 100
"""At a time: more than any lab has hosts that ask at once."""
MOST_ANSWERS = 1000
"""On their way in one connection: who asks for more and reads nothing is cut off.  Our own bound (RFC 7766 6.2.1.1 lets
clients send queries without waiting)."""
LENGTH_BYTES = 2


def _octets(element: Any) -> bytes:
    return b"".join(views_of(element.Buffer))


class DnsConnection(Connection):
    service: Dns

    def __init__(self, service: Dns, Socket: WSK_SOCKET) -> None:
        super().__init__(service, Socket)
        self._data = b""

    def started(self) -> None:
        self.deadline = system_time() + IDLE

    def received(self, Indication: WSK_DATA_INDICATION, length: int, BytesAccepted: list[int]) -> NTSTATUS:
        self._data += b"".join(map(_octets, elements(Indication)))
        while len(self._data) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(self._data[:LENGTH_BYTES], "big")
            if len(self._data) < end:
                break
            if self.sends >= MOST_ANSWERS:
                self.close()
                break
            query, self._data = self._data[LENGTH_BYTES:end], self._data[end:]
            self._answer(query)
        return STATUS_SUCCESS

    def _answer(self, query: bytes) -> None:
        answer = self.service.zone.answer(query, is_stream=True)
        if answer is not None:
            data, _ = answer
            self.deadline = system_time() + IDLE
            self.send(buffer(len(data).to_bytes(LENGTH_BYTES, "big") + data))


class Dns(Service):
    """Delays of the zone count for UDP alone."""

    name = "dns"
    default_port = 53
    summary = "answers from a table of names (RFC 1035)"
    connection_class = DnsConnection
    has_deadlines = True
    most_connections = MOST_CONNECTIONS

    def __init__(self, zone: Zone, port: int | None = None) -> None:
        super().__init__(port)
        self.zone = zone
        self.queries = 0
        """By UDP."""
        self.is_serving = False

    def datagrams(self, Socket: WSK_SOCKET, Indication: WSK_DATAGRAM_INDICATION) -> NTSTATUS:
        for element in elements(Indication):
            self.queries += 1
            answer = self.zone.answer(_octets(element), is_stream=False)
            if answer is None:
                continue
            data, delay = answer
            if delay:
                self._send_later(Socket, data, element.RemoteAddress, delay)
            else:
                _send(Socket, data, element.RemoteAddress)
        return STATUS_SUCCESS

    def _send_later(self, Socket: WSK_SOCKET, data: bytes, RemoteAddress: Any, seconds: float) -> None:
        def run(StartContext: object) -> None:
            KeDelayExecutionThread(KernelMode, False, LARGE_INTEGER(-int(seconds * SECOND)))
            if self.is_serving:
                _send(Socket, data, RemoteAddress)

        handles: list[Any] = []
        PsCreateSystemThread(handles, THREAD_ALL_ACCESS, None, None, None, run, None)
        ZwClose(handles[0])

    def start(self) -> None:
        super().start()
        self.is_serving = True

    def stop(self) -> None:
        self.is_serving = False
        super().stop()


def _send(Socket: WSK_SOCKET, data: bytes, RemoteAddress: Any) -> None:
    submit(Socket.Dispatch.WskSendTo, Socket, buffer(data), 0, RemoteAddress, 0, None)
