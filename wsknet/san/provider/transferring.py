"""WSPSend, WSPRecv, WSPRdmaWrite, WSPRdmaRead and WSPGetOverlappedResult (SAN-6.6, SAN-7).

The first four are always overlapped and without completion routine: they answer WSA_IO_PENDING, and what became of them
is told later (completing-data-transfer-requests.md).  Where the pages name no code: [design] WSAEINVAL for flags, for
a missing overlapped structure and for one whose operation is under way, WSAEOPNOTSUPP for a completion routine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from wsknet.san.arguments import unsigned, view_of
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    MEM_READ,
    MEM_WRITE,
    NO_ERROR,
    SOCKET_ERROR,
    WSA_INVALID_PARAMETER,
    WSA_IO_INCOMPLETE,
    WSA_IO_PENDING,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
)
from wsknet.san.provider.native import DESCRIPTOR_SIZE
from wsknet.san.structures import INT, WSAOVERLAPPED

if TYPE_CHECKING:
    from wsknet.san.provider.memory import Hold
    from wsknet.san.provider.process import Process
    from wsknet.san.provider.transfers import Transfers

LAST_OFFSET = 0xFFFF_FFFF
"""A DWORD holds no more."""


@answers(SOCKET_ERROR)
def WSPSend(
    process: Process,
    s: object,
    lpBuffers: object,
    dwBufferCount: object,
    lpNumberOfBytesSent: object,
    dwFlags: object,
    lpOverlapped: object,
    lpCompletionRoutine: object,
    lpThreadId: object,
) -> NoReturn:
    """One message to the peer.  Longer than SO_MAX_MSG_SIZE: WSAEMSGSIZE."""
    with process.host.pump as now:
        transfers = _connected(process, s)
        overlapped = _usable(lpOverlapped, lpCompletionRoutine, dwFlags)
        hold = _hold(process, lpBuffers, dwBufferCount, MEM_READ, process.policy.max_message_size)
        transfers.send(overlapped, hold, now)
    raise WinsockError(WSA_IO_PENDING)


@answers(SOCKET_ERROR)
def WSPRecv(
    process: Process,
    s: object,
    lpBuffers: object,
    dwBufferCount: object,
    lpNumberOfBytesRecvd: object,
    lpFlags: object,
    lpOverlapped: object,
    lpCompletionRoutine: object,
    lpThreadId: object,
) -> NoReturn:
    """Post memory for one message.  A longer one than fits completes it with WSAEMSGSIZE and ends the connection:
    the switch guarantees that none comes (accepting-connection-requests.md)."""
    with process.host.pump as now:
        transfers = _connected(process, s)
        if not isinstance(lpFlags, INT):
            raise WinsockError(WSAEFAULT)
        overlapped = _usable(lpOverlapped, lpCompletionRoutine, lpFlags.Value)
        transfers.post_receive(overlapped, process.memory.hold(lpBuffers, dwBufferCount, MEM_WRITE), now)
    raise WinsockError(WSA_IO_PENDING)


@answers(SOCKET_ERROR)
def WSPRdmaWrite(
    process: Process,
    s: object,
    lpBuffers: object,
    dwBufferCount: object,
    lpTargetBufferDescriptor: object,
    dwTargetDescriptorLength: object,
    dwTargetBufferOffset: object,
    lpdwNumberOfBytesWritten: object,
    dwFlags: object,
    lpOverlapped: object,
    lpCompletionRoutine: object,
    lpThreadId: object,
) -> NoReturn:
    """Into memory that the peer has registered with write access.  If it has not, the connection ends."""
    with process.host.pump as now:
        transfers = _connected(process, s)
        overlapped = _usable(lpOverlapped, lpCompletionRoutine, dwFlags)
        descriptor, offset = _target(lpTargetBufferDescriptor, dwTargetDescriptorLength, dwTargetBufferOffset)
        hold = _hold(process, lpBuffers, dwBufferCount, MEM_READ, process.policy.max_rdma_size)
        transfers.rdma_write(overlapped, hold, descriptor, offset, now)
    raise WinsockError(WSA_IO_PENDING)


@answers(SOCKET_ERROR)
def WSPRdmaRead(
    process: Process,
    s: object,
    lpBuffers: object,
    dwBufferCount: object,
    lpTargetBufferDescriptor: object,
    dwTargetDescriptorLength: object,
    dwTargetBufferOffset: object,
    lpdwNumberOfBytesRead: object,
    dwFlags: object,
    lpOverlapped: object,
    lpCompletionRoutine: object,
    lpThreadId: object,
) -> NoReturn:
    """From memory that the peer has registered with read access.  If it has not, the connection ends."""
    with process.host.pump as now:
        transfers = _connected(process, s)
        overlapped = _usable(lpOverlapped, lpCompletionRoutine, dwFlags)
        descriptor, offset = _target(lpTargetBufferDescriptor, dwTargetDescriptorLength, dwTargetBufferOffset)
        hold = _hold(process, lpBuffers, dwBufferCount, MEM_WRITE, process.policy.max_rdma_size)
        transfers.rdma_read(overlapped, hold, descriptor, offset, now)
    raise WinsockError(WSA_IO_PENDING)


@answers(False)
def WSPGetOverlappedResult(
    process: Process, s: object, lpOverlapped: object, lpcbTransfer: object, fWait: object, lpdwFlags: object
) -> bool:
    """True and the bytes; False and the error of the operation, or WSA_IO_INCOMPLETE (SAN-7).

    With `fWait` it blocks until the operation is over.  The switch asks without (SAN-6.6.1).
    """
    with process.host.pump:
        process.socket(s)
    if not isinstance(lpOverlapped, WSAOVERLAPPED) or not isinstance(lpcbTransfer, INT):
        raise WinsockError(WSA_INVALID_PARAMETER)
    overlapped = lpOverlapped
    if fWait:
        process.host.driver.block(lambda: overlapped.Internal != WSA_IO_PENDING, "WSPGetOverlappedResult", None)
    if overlapped.Internal == WSA_IO_PENDING:
        raise WinsockError(WSA_IO_INCOMPLETE)
    lpcbTransfer.Value = overlapped.InternalHigh
    if isinstance(lpdwFlags, INT):
        lpdwFlags.Value = 0
    if overlapped.Internal != NO_ERROR:
        raise WinsockError(overlapped.Internal)
    return True


def _connected(process: Process, s: object) -> Transfers:
    transfers = process.socket(s).transfers
    if transfers is None:
        raise WinsockError(WSAENOTCONN)
    if transfers.error:
        raise WinsockError(transfers.error)
    return transfers


def _hold(process: Process, buffers: object, count: object, access: int, limit: int) -> Hold:
    hold = process.memory.hold(buffers, count, access)
    if hold.length > limit:
        hold.release()
        raise WinsockError(WSAEMSGSIZE)
    return hold


def _usable(overlapped: object, routine: object, flags: object) -> WSAOVERLAPPED:
    if routine is not None:
        raise WinsockError(WSAEOPNOTSUPP)
    if flags != 0 or not isinstance(overlapped, WSAOVERLAPPED) or overlapped.Internal == WSA_IO_PENDING:
        raise WinsockError(WSAEINVAL)
    return overlapped


def _target(descriptor: object, length: object, offset: object) -> tuple[bytes, int]:
    octets = read_descriptor(descriptor, length)
    start = unsigned(offset)
    if start > LAST_OFFSET:
        raise WinsockError(WSAEINVAL)
    return octets, start


def read_descriptor(descriptor: object, length: object) -> bytes:
    """`WinsockError` WSAEFAULT if it has not the size of one."""
    octets = bytes(view_of(descriptor, length))
    if len(octets) != DESCRIPTOR_SIZE:
        raise WinsockError(WSAEFAULT)
    return octets
