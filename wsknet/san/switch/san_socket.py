"""The data functions of a SAN provider on one connected socket, as calls that answer with an error number.

All overlapped, none with a completion routine (SAN-6.6.1).  The driver lock is not held in any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from wsknet.san.numbers import (
    MEM_READ,
    MEM_WRITE,
    NO_ERROR,
    SO_MAX_MSG_SIZE,
    SO_MAX_RDMA_SIZE,
    SO_RDMA_THRESHOLD_SIZE,
    SOCKET_ERROR,
    WSA_IO_INCOMPLETE,
    WSA_IO_PENDING,
    WSAENOBUFS,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.structures import INT, WSABUFEX, WSAOVERLAPPED, WSPPROC_TABLE
from wsknet.san.switch.session import Settings
from wsknet.san.switch.session.actions import Role
from wsknet.san.switch.session.settings import DESCRIPTOR_LIMIT
from wsknet.types import Buffer


class Provider(Protocol):
    """What is needed of `loaded.LoadedProvider`."""

    table: WSPPROC_TABLE
    extensions: dict[str, Callable[..., Any]]
    limits: dict[int, int]


def settings_for(provider: Provider, policy: SanPolicy, send_limit: int, receive_limit: int) -> Settings:
    """Sizes that the provider does not tell are as large as a message or a transfer can be, its threshold that of
    `policy`."""
    limits = provider.limits
    return Settings(
        can_read="WSPRdmaRead" in provider.extensions,
        message_size=limits.get(SO_MAX_MSG_SIZE, policy.max_message_size),
        max_rdma=limits.get(SO_MAX_RDMA_SIZE, policy.max_rdma_size),
        threshold=limits.get(SO_RDMA_THRESHOLD_SIZE, policy.rdma_threshold),
        receive_buffers=policy.message_buffers,
        send_buffers=policy.message_buffers,
        send_limit=send_limit,
        receive_limit=receive_limit,
    )


class SanSocket:
    def __init__(self, provider: Provider, s: int) -> None:
        self._table = provider.table
        self._extensions = provider.extensions
        self._s = s

    # Memory

    def register(self, memory: Buffer, *, is_written: bool) -> int:
        """A handle; 0 if it cannot be done."""
        access = MEM_WRITE if is_written else MEM_READ
        handle = self._extensions["WSPRegisterMemory"](self._s, memory, len(memory), access, INT())
        return int(handle)

    def deregister(self, handle: int) -> None:
        self._extensions["WSPDeregisterMemory"](self._s, handle, INT())

    def expose(self, memory: memoryview, role: Role) -> bytes | None:
        """The descriptor; `None` if it cannot be done."""
        access = MEM_READ if role is Role.SOURCE else MEM_WRITE
        descriptor, length = bytearray(DESCRIPTOR_LIMIT), INT(DESCRIPTOR_LIMIT)
        register = self._extensions["WSPRegisterRdmaMemory"]
        failed = register(self._s, memory, len(memory), access, descriptor, length, INT())
        return None if failed else bytes(descriptor[: length.Value])

    def conceal(self, descriptor: bytes) -> bool:
        """False while the provider still works with the memory."""
        return not self._extensions["WSPDeregisterRdmaMemory"](self._s, descriptor, len(descriptor), INT())

    # Transfers: 0 or an error

    def receive(self, buffer: WSABUFEX, overlapped: WSAOVERLAPPED) -> int:
        lpErrno = INT()
        answer = self._table.lpWSPRecv(self._s, [buffer], 1, INT(), INT(), overlapped, None, None, lpErrno)
        return _begun(answer, lpErrno)

    def send(self, buffer: WSABUFEX, overlapped: WSAOVERLAPPED) -> int:
        lpErrno = INT()
        answer = self._table.lpWSPSend(self._s, [buffer], 1, INT(), 0, overlapped, None, None, lpErrno)
        return _begun(answer, lpErrno)

    def read(self, buffer: WSABUFEX, descriptor: bytes, offset: int, overlapped: WSAOVERLAPPED) -> int:
        return self._rdma("WSPRdmaRead", buffer, descriptor, offset, overlapped)

    def write(self, buffer: WSABUFEX, descriptor: bytes, offset: int, overlapped: WSAOVERLAPPED) -> int:
        return self._rdma("WSPRdmaWrite", buffer, descriptor, offset, overlapped)

    def _rdma(self, name: str, buffer: WSABUFEX, descriptor: bytes, offset: int, overlapped: WSAOVERLAPPED) -> int:
        if not buffer.handle:
            return WSAENOBUFS
        lpErrno = INT()
        target = (descriptor, len(descriptor), offset)
        answer = self._extensions[name](self._s, [buffer], 1, *target, INT(), 0, overlapped, None, None, lpErrno)
        return _begun(answer, lpErrno)

    def result(self, overlapped: WSAOVERLAPPED) -> int | None:
        """What became of it; `None`: it is under way."""
        lpErrno = INT()
        if self._table.lpWSPGetOverlappedResult(self._s, overlapped, INT(), False, INT(), lpErrno):
            return NO_ERROR
        return None if lpErrno.Value == WSA_IO_INCOMPLETE else int(lpErrno.Value)

    def close(self) -> None:
        self._table.lpWSPCloseSocket(self._s, INT())


def _begun(answer: int, lpErrno: INT) -> int:
    return NO_ERROR if answer != SOCKET_ERROR or lpErrno.Value == WSA_IO_PENDING else int(lpErrno.Value)
