"""The data functions of a SAN provider in memory: one connection, and its two ends.

Stricter than a real one: it notes every use of memory that is not registered, what is released while it is in use, and
calls after WSPCloseSocket; and it drops, as VI hardware does, what is under way when a socket is closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wsknet.host import Host, Network
from wsknet.san.numbers import (
    MEM_READ,
    MEM_WRITE,
    SO_MAX_MSG_SIZE,
    SO_MAX_RDMA_SIZE,
    SO_RDMA_THRESHOLD_SIZE,
    SOCKET_ERROR,
    WSA_IO_INCOMPLETE,
    WSA_IO_PENDING,
    WSA_OPERATION_ABORTED,
    WSAECONNRESET,
    WSAEINVAL,
    WSAENOBUFS,
    WSAENOTSOCK,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.structures import INT, WSABUFEX, WSAOVERLAPPED, WSPPROC_TABLE
from wsknet.types import Buffer

HANDLE = 7
"""What WSPSocket would have given; the same at both ends, which are different providers."""


@dataclass(eq=False)
class Operation:
    name: str
    overlapped: WSAOVERLAPPED
    buffer: WSABUFEX
    descriptor: bytes = b""
    offset: int = 0


class FakeProvider:
    """One end.  `upcall` is what WPUCompleteOverlappedRequest leads to."""

    def __init__(self, host: Host, policy: SanPolicy) -> None:
        self.host = host
        self.peer = self
        self.upcall: Callable[[WSAOVERLAPPED, int, int], None] = lambda *_: None
        self.is_closed = False
        self.refused_registrations = 0
        """How many of the next ones fail."""
        self.errors: dict[str, int] = {}
        """What functions fail with at once."""
        self.busy_exposures = 0
        """How many of the next WSPDeregisterRdmaMemory find the memory in use."""
        self.calls: list[str] = []
        self.notified: list[bool] = []
        """Of each WSPSend: whether its end is to be told."""
        self.violations: list[str] = []
        self.left: list[int | bytes] = []
        """Registered at the end, although no operation used it."""
        self.pending: deque[Operation] = deque()
        self.receives: deque[Operation] = deque()
        self._memory: dict[int, tuple[Buffer, int]] = {}
        self._exposed: dict[bytes, tuple[memoryview, int]] = {}
        self._numbers = 0
        self.table = WSPPROC_TABLE(
            lpWSPSend=self._send,
            lpWSPRecv=self._recv,
            lpWSPGetOverlappedResult=self._result,
            lpWSPCloseSocket=self._close,
        )
        self.extensions: dict[str, Callable[..., Any]] = {
            "WSPRegisterMemory": self._register,
            "WSPDeregisterMemory": self._deregister,
            "WSPRegisterRdmaMemory": self._expose,
            "WSPDeregisterRdmaMemory": self._conceal,
            "WSPRdmaWrite": self._rdma_write,
        }
        if policy.supports_rdma_read:
            self.extensions["WSPRdmaRead"] = self._rdma_read
        self.limits = {
            SO_MAX_MSG_SIZE: policy.max_message_size,
            SO_MAX_RDMA_SIZE: policy.max_rdma_size,
            SO_RDMA_THRESHOLD_SIZE: policy.rdma_threshold,
        }

    # WSP functions

    def _send(self, s: int, buffers: list[WSABUFEX], count: int, *rest: Any) -> int:
        *_, overlapped, _routine, _thread, lpErrno = rest
        self.notified.append(not overlapped.hEvent & 1)
        return self._begin(s, Operation("WSPSend", overlapped, buffers[0]), MEM_READ, lpErrno)

    def _recv(self, s: int, buffers: list[WSABUFEX], count: int, *rest: Any) -> int:
        *_, overlapped, _routine, _thread, lpErrno = rest
        return self._begin(s, Operation("WSPRecv", overlapped, buffers[0]), MEM_WRITE, lpErrno)

    def _rdma_read(self, s: int, buffers: list[WSABUFEX], count: int, descriptor: bytes, *rest: Any) -> int:
        return self._rdma("WSPRdmaRead", MEM_WRITE, s, buffers, descriptor, *rest)

    def _rdma_write(self, s: int, buffers: list[WSABUFEX], count: int, descriptor: bytes, *rest: Any) -> int:
        return self._rdma("WSPRdmaWrite", MEM_READ, s, buffers, descriptor, *rest)

    def _rdma(self, name: str, access: int, s: int, buffers: list[WSABUFEX], descriptor: bytes, *rest: Any) -> int:
        _length, offset, _bytes, _flags, overlapped, _routine, _thread, lpErrno = rest
        if buffers[0].len > self.limits[SO_MAX_RDMA_SIZE]:
            self.violations.append(f"{name} of {buffers[0].len} bytes")
        return self._begin(s, Operation(name, overlapped, buffers[0], descriptor, offset), access, lpErrno)

    def _begin(self, s: int, operation: Operation, access: int, lpErrno: INT) -> int:
        if not self._enter(operation.name, s, lpErrno):
            return SOCKET_ERROR
        memory, allowed = self._memory.get(operation.buffer.handle, (b"", 0))
        if memoryview(memory).obj is not memoryview(operation.buffer.buf).obj or allowed != access:
            self.violations.append(f"{operation.name} with memory that is not registered")
        error = WSAECONNRESET if self.peer.is_closed else self.errors.get(operation.name, 0)
        if error:
            lpErrno.Value = error
            return SOCKET_ERROR
        operation.overlapped.Internal = WSA_IO_PENDING
        (self.receives if operation.name == "WSPRecv" else self.pending).append(operation)
        lpErrno.Value = WSA_IO_PENDING
        return SOCKET_ERROR

    def _enter(self, name: str, s: int, lpErrno: INT) -> bool:
        self.calls.append(name)
        with self.host.pump:
            """As the real one: whoever calls with the driver lock held gets stuck or is told."""
        if s == HANDLE and not self.is_closed:
            return True
        self.violations.append(f"{name} without a socket")
        lpErrno.Value = WSAENOTSOCK
        return False

    def _result(self, s: int, overlapped: WSAOVERLAPPED, length: INT, wait: bool, flags: INT, lpErrno: INT) -> bool:
        self._enter("WSPGetOverlappedResult", s, lpErrno)
        if overlapped.Internal == 0:
            length.Value = overlapped.InternalHigh
            return True
        lpErrno.Value = WSA_IO_INCOMPLETE if overlapped.Internal == WSA_IO_PENDING else overlapped.Internal
        return False

    def _register(self, s: int, memory: Buffer, length: int, access: int, lpErrno: INT) -> int:
        if not self._enter("WSPRegisterMemory", s, lpErrno) or self._is_refused(lpErrno):
            return 0
        self._numbers += 1
        self._memory[self._numbers] = memory, access
        return self._numbers

    def _is_refused(self, lpErrno: INT) -> bool:
        if not self.refused_registrations:
            return False
        self.refused_registrations -= 1
        lpErrno.Value = WSAENOBUFS
        return True

    def _deregister(self, s: int, handle: int, lpErrno: INT) -> int:
        self._enter("WSPDeregisterMemory", s, lpErrno)
        if handle in self._used() or self._memory.pop(handle, None) is None:
            self.violations.append("WSPDeregisterMemory of what is in use, or not registered")
            return SOCKET_ERROR
        return 0

    def _expose(
        self, s: int, memory: memoryview, length: int, access: int, descriptor: bytearray, room: INT, lpErrno: INT
    ) -> int:
        if not self._enter("WSPRegisterRdmaMemory", s, lpErrno) or self._is_refused(lpErrno):
            return SOCKET_ERROR
        self._numbers += 1
        descriptor[:16] = self._numbers.to_bytes(16, "big")
        room.Value = 16
        self._exposed[bytes(descriptor[:16])] = memory, access
        return 0

    def _conceal(self, s: int, descriptor: bytes, length: int, lpErrno: INT) -> int:
        self._enter("WSPDeregisterRdmaMemory", s, lpErrno)
        if self.busy_exposures:
            self.busy_exposures -= 1
            lpErrno.Value = WSAEINVAL
            return SOCKET_ERROR
        if self._exposed.pop(descriptor, None) is None:
            self.violations.append("WSPDeregisterRdmaMemory of what is not registered")
            lpErrno.Value = WSAEINVAL
            return SOCKET_ERROR
        return 0

    def _close(self, s: int, lpErrno: INT) -> int:
        self._enter("WSPCloseSocket", s, lpErrno)
        self.is_closed = True
        self.left = [handle for handle in self._memory if handle not in self._used()] + [*self._exposed]
        self.fail(WSA_OPERATION_ABORTED)
        self.peer.fail(WSAECONNRESET)
        return 0

    # What happens by itself

    def _used(self) -> set[int]:
        return {operation.buffer.handle for operation in (*self.receives, *self.pending)}

    def fail(self, error: int) -> None:
        """Everything under way."""
        operations = [*self.pending, *self.receives]
        self.pending.clear()
        self.receives.clear()
        for operation in operations:
            self._complete(operation, error, 0)

    def _complete(self, operation: Operation, error: int, count: int) -> None:
        overlapped = operation.overlapped
        overlapped.Internal, overlapped.InternalHigh = error, count
        if not overlapped.hEvent & 1:
            self.host.pump.completions.post(self.upcall, overlapped, error, count)

    def step(self) -> bool:
        """The oldest operation takes place; False if there is none, or nobody has posted a buffer for the message."""
        if not self.pending:
            return False
        operation = self.pending[0]
        data = operation.buffer.view
        if operation.name != "WSPSend":
            self.pending.popleft()
            self._touch_peer(operation)
        elif not self.peer.receives:
            self.violations.append("a message for which no buffer is posted")
            return False
        else:
            self.pending.popleft()
            receive = self.peer.receives.popleft()
            receive.buffer.view[: len(data)] = data
            self.peer._complete(receive, 0, len(data))
            self._complete(operation, 0, len(data))
        return True

    def _touch_peer(self, operation: Operation) -> None:
        data = operation.buffer.view
        memory, access = self.peer._exposed.get(operation.descriptor, (memoryview(b""), 0))
        part = memory[operation.offset : operation.offset + len(data)]
        if len(part) != len(data) or access != (MEM_READ if operation.name == "WSPRdmaRead" else MEM_WRITE):
            self.fail(WSAECONNRESET)
            self.peer.fail(WSAECONNRESET)
        elif operation.name == "WSPRdmaRead":
            data[:] = part
            self._complete(operation, 0, len(data))
        else:
            part[:] = data
            self._complete(operation, 0, len(data))


def connected_providers(policy: SanPolicy, other: SanPolicy | None = None) -> tuple[FakeProvider, FakeProvider]:
    network = Network(1)
    first = FakeProvider(network.host("a"), policy)
    second = FakeProvider(network.host("b"), other or policy)
    first.peer, second.peer = second, first
    return first, second
