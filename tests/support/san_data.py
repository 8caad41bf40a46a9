"""One end of an established SAN connection, with the data functions as the switch calls them."""

from __future__ import annotations

from typing import Any

from tests.support.san_lab import Caller, SanLab, answer_of
from wsknet.san import guids
from wsknet.san.numbers import MEM_READ, MEM_READWRITE, SOCKET_ERROR, WSA_IO_PENDING
from wsknet.san.structures import INT, WSABUFEX, WSAOVERLAPPED

POLL = 1
"""`hEvent` with its low bit set: the caller will ask."""
DESCRIPTOR_SIZE = 16


class DataEnd:
    def __init__(self, caller: Caller, s: int) -> None:
        self.caller = caller
        self.s = s

    def extension(self, name: str, *arguments: Any) -> tuple[Any, int]:
        """Result and error of an extension function whose first argument is the socket."""
        guid = getattr(guids, f"WSAID_{name.removeprefix('WSP').upper()}")
        return answer_of(self.caller.extension(self.s, guid), self.s, *arguments)

    def registered(self, buffer: Any, flags: int = MEM_READWRITE) -> WSABUFEX:
        handle, _ = self.extension("WSPRegisterMemory", buffer, len(buffer), flags)
        assert handle
        return WSABUFEX(buffer, handle)

    def exposed(self, buffer: Any, flags: int = MEM_READWRITE) -> bytes:
        """The descriptor."""
        descriptor = bytearray(DESCRIPTOR_SIZE)
        arguments = buffer, len(buffer), flags, descriptor, INT(DESCRIPTOR_SIZE)
        result, _ = self.extension("WSPRegisterRdmaMemory", *arguments)
        assert result == 0
        return bytes(descriptor)

    def receive(self, *buffers: WSABUFEX, hEvent: Any = POLL) -> WSAOVERLAPPED:
        overlapped = WSAOVERLAPPED(hEvent)
        arguments = list(buffers), len(buffers), None, INT(0), overlapped, None, None
        assert self.caller.call("WSPRecv", self.s, *arguments) == (SOCKET_ERROR, WSA_IO_PENDING)
        return overlapped

    def send(self, *buffers: WSABUFEX, hEvent: Any = POLL) -> WSAOVERLAPPED:
        overlapped = WSAOVERLAPPED(hEvent)
        arguments = list(buffers), len(buffers), None, 0, overlapped, None, None
        assert self.caller.call("WSPSend", self.s, *arguments) == (SOCKET_ERROR, WSA_IO_PENDING)
        return overlapped

    def send_bytes(self, payload: bytes) -> WSAOVERLAPPED:
        return self.send(self.registered(payload, MEM_READ))

    def rdma(self, name: str, *buffers: WSABUFEX, descriptor: bytes, offset: int = 0) -> WSAOVERLAPPED:
        """`name`: WSPRdmaWrite or WSPRdmaRead."""
        overlapped = WSAOVERLAPPED(POLL)
        arguments = list(buffers), len(buffers), descriptor, len(descriptor), offset, None, 0, overlapped, None, None
        assert self.extension(name, *arguments) == (SOCKET_ERROR, WSA_IO_PENDING)
        return overlapped

    def result(self, overlapped: WSAOVERLAPPED) -> tuple[bool, int, int]:
        """True or False, the error, the bytes."""
        transferred = INT(0)
        result, error = self.caller.call("WSPGetOverlappedResult", self.s, overlapped, transferred, False, INT(0))
        return result, error, transferred.Value


def data_ends(lab: SanLab) -> tuple[DataEnd, DataEnd]:
    """An established connection from a to b."""
    s, accepted, _ = lab.connected()
    return DataEnd(lab.callers[0], s), DataEnd(lab.callers[1], accepted)
