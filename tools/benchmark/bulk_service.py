"""The server of `bulk` as a WSK application."""

from __future__ import annotations

import hashlib

from tools.benchmark.bulk import GIVE, PORT, REQUEST, content
from wsknet.apps.service import Connection, Service, elements
from wsknet.wsk import NTSTATUS, STATUS_SUCCESS, WSK_BUF, WSK_DATA_INDICATION, WSK_SOCKET
from wsknet.wsk.simple import buffer

IN_FLIGHT = 64
"""Requests at a time, ..."""
PIECE = 64 << 10
"""... of this many bytes: more than the link carries in a round trip."""


class BulkConnection(Connection):
    def __init__(self, service: Service, socket: WSK_SOCKET) -> None:
        super().__init__(service, socket)
        self._head = b""
        self._digest = hashlib.sha256()
        self._wanted = b""
        """What the peer wants to be given; empty if it sends."""
        self._lent = 0
        """Bytes of it handed over."""

    def received(self, indication: WSK_DATA_INDICATION, length: int, accepted: list[int]) -> NTSTATUS:
        for element in elements(indication):
            data = _memory(element.Buffer)
            if len(self._head) < REQUEST.size:
                lacking = REQUEST.size - len(self._head)
                self._head += data[:lacking]
                data = data[lacking:]
                if len(self._head) == REQUEST.size:
                    self._begin()
            self._digest.update(data)
        return STATUS_SUCCESS

    def disconnected(self, is_abortive: bool) -> None:
        if not is_abortive and not self._wanted:
            self.send(buffer(self._digest.digest()))
        super().disconnected(is_abortive)

    def _begin(self) -> None:
        kind, size = REQUEST.unpack(self._head)
        if kind == GIVE:
            self._wanted = content(size)
            for _ in range(IN_FLIGHT):
                self._give()

    def _give(self, status: NTSTATUS = STATUS_SUCCESS) -> None:
        if status == STATUS_SUCCESS and self._lent < len(self._wanted) and not self.is_closing:
            piece = memoryview(self._wanted)[self._lent : self._lent + PIECE]
            self._lent += len(piece)
            self.send(buffer(piece), self._give)


class Bulk(Service):
    name = "bulk"
    default_port = PORT
    summary = "takes or gives as many bytes as it is asked to"
    connection_class = BulkConnection
    has_datagrams = False


def _memory(described: WSK_BUF) -> bytes:
    """What an indication's buffer describes, across its chain of MDLs."""
    data, mdl, skip = bytearray(), described.Mdl, described.Offset
    while mdl is not None and len(data) < described.Length:
        assert mdl.MappedSystemVa is not None
        data += mdl.MappedSystemVa[skip : skip + described.Length - len(data)]
        mdl, skip = mdl.Next, 0
    return bytes(data)
