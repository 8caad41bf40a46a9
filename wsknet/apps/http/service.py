"""`wsknet serve http`: the protocol on a WSK connection."""

from __future__ import annotations

from wsknet.apps.http.protocol import ServerConnection, State
from wsknet.apps.http.site import Site
from wsknet.apps.irps import submit
from wsknet.apps.service import SECOND, Connection, Service, elements, system_time
from wsknet.wsk import (
    NTSTATUS,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_DATA_INDICATION,
    WSK_SOCKET,
    MmGetSystemAddressForMdlSafe,
    NormalPagePriority,
)
from wsknet.wsk.ke import UNIX_EPOCH_IN_SYSTEM_TIME
from wsknet.wsk.simple import buffer

HIGH_WATER = 1 << 20
"""Octets lent to the stack, above which no more are fetched; our own choice."""
PATIENCE = 60 * SECOND
"""For the whole of a head, for the next octets of content, for the next acknowledgement, and between two requests: as
nginx has it for the first three (client_header_timeout and its like, from memory)."""
LINGER = 30 * SECOND
"""How long a client may take to close after we have; meanwhile what it sends is taken and forgotten, so that no reset
destroys the answer (RFC 9112 9.6).  As long as nginx's lingering_time, from memory."""


def unix_time() -> int:
    """Nanoseconds since 1970, by the clock of the current host."""
    return (system_time() - UNIX_EPOCH_IN_SYSTEM_TIME) * 100


class HttpConnection(Connection):
    service: Http

    def __init__(self, service: Service, Socket: WSK_SOCKET) -> None:
        super().__init__(service, Socket)
        self._protocol = ServerConnection(self.service.site)
        self._outstanding = 0
        self._is_held = False

    def started(self) -> None:
        self.deadline = system_time() + PATIENCE

    def received(self, Indication: WSK_DATA_INDICATION, length: int, BytesAccepted: list[int]) -> NTSTATUS:
        before = self._protocol.state
        accepted = 0
        for element in elements(Indication):
            accepted += self._take(element.Buffer)
        BytesAccepted[0] = accepted
        if accepted < length:
            self._is_held = True
        state = self._protocol.state
        # A client that trickles its head, or sends empty lines, is not given more time for it.
        if not self.is_finishing and (state is not before or state is State.CONTENT):
            self.deadline = system_time() + PATIENCE
        return STATUS_SUCCESS

    def _take(self, Buffer: WSK_BUF) -> int:
        """As much as can be answered before the stack is full."""
        assert Buffer.Mdl is not None
        memory = MmGetSystemAddressForMdlSafe(Buffer.Mdl, NormalPagePriority)
        data = memory[Buffer.Offset : Buffer.Offset + Buffer.Length]
        taken = 0
        while taken < len(data):
            count = self._protocol.take(data[taken:])
            self._send_answers()
            if not count and self._protocol.state is State.ANSWER:
                break
            taken += count
        return taken

    def _send_answers(self) -> None:
        """Lend the stack what there is, up to the high-water mark; the rest follows as it is acknowledged."""
        protocol = self._protocol
        while self._outstanding < HIGH_WATER and not self.is_closing:
            piece = protocol.fetch()
            if not piece:
                break
            self._lend(piece)
        if protocol.is_over:
            self._end()

    def _lend(self, piece: bytes | memoryview) -> None:
        length = len(piece)
        self._outstanding += length

        def acknowledged(Status: NTSTATUS) -> None:
            self._outstanding -= length
            if Status == STATUS_SUCCESS and not self.is_closing:
                self._drained()

        self.send(buffer(piece), acknowledged)

    def _drained(self) -> None:
        self.deadline = system_time() + (LINGER if self.is_finishing else PATIENCE)
        if self._outstanding > HIGH_WATER // 2:
            return
        self._send_answers()
        if self._is_held and self._protocol.state is not State.ANSWER:
            self._is_held = False
            submit(self.Socket.Dispatch.WskReceive, self.Socket, WSK_BUF(None, 0, 0), 0)

    def disconnected(self, is_abortive: bool) -> None:
        if not is_abortive:
            self._protocol.end_of_input()
            self._send_answers()
        super().disconnected(is_abortive)

    def expired(self) -> None:
        if self.is_finishing or self._outstanding:
            self.close()  # it does not read, or it does not go
            return
        self._protocol.time_out()
        self._send_answers()

    def _end(self) -> None:
        if not self.is_finishing:
            self.deadline = system_time() + LINGER
            self.finish()


class Http(Service):
    name = "http"
    default_port = 80
    summary = "GET, HEAD, PUT and DELETE in HTTP/1.1 and HTTP/1.0; / tells what there is (RFC 9110, RFC 9112)"
    connection_class = HttpConnection
    has_datagrams = False
    has_deadlines = True
    most_connections = 1024

    def __init__(self, port: int | None = None) -> None:
        super().__init__(port)
        self.site = Site(unix_time)
