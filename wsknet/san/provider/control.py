"""WSPIoctl, WSPGetSockOpt and WSPSetSockOpt.  Read handling-socket-options-and-control-codes-for-a-san before editing.

Whatever a provider without quality of service need not have is refused, so that the switch goes to the TCP/IP provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wsknet.san.numbers import (
    NO_ERROR,
    SIO_ADDRESS_LIST_QUERY,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SO_DEBUG,
    SO_MAX_MSG_SIZE,
    SO_MAX_RDMA_SIZE,
    SO_RDMA_THRESHOLD_SIZE,
    SOL_SOCKET,
    WSAEFAULT,
    WSAENOPROTOOPT,
    WSAEOPNOTSUPP,
)
from wsknet.san.provider.answers import Failed, answers
from wsknet.san.provider.arguments import is_length
from wsknet.san.sockaddr import SOCKADDR_IN
from wsknet.san.structures import INT, SOCKET_ADDRESS_LIST

if TYPE_CHECKING:
    from wsknet.san.provider.process import Process
    from wsknet.types import Buffer

GUID_SIZE = 16
POINTER_SIZE = 8
DWORD_SIZE = 4
LIST_HEAD, LIST_ENTRY = 4, 24
"""Bytes of SOCKET_ADDRESS_LIST: the count, and for each address a SOCKET_ADDRESS and the sockaddr_in behind it, of a
32-bit system."""


@answers()
def WSPIoctl(
    process: Process,
    s: int,
    dwIoControlCode: int,
    lpvInBuffer: object,
    cbInBuffer: int,
    lpvOutBuffer: object,
    cbOutBuffer: int,
    lpcbBytesReturned: INT,
    lpOverlapped: object,
    lpCompletionRoutine: object,
    lpThreadId: object,
) -> int:
    """SIO_ADDRESS_LIST_QUERY and SIO_GET_EXTENSION_FUNCTION_POINTER, always at once; WSAEOPNOTSUPP for other codes
    and other functions.  WSAEFAULT: a buffer is none or too small; of a list that does not fit the size that it
    needs is in `lpcbBytesReturned`."""
    with process.host.pump:
        process.socket(s)
        if dwIoControlCode not in (SIO_ADDRESS_LIST_QUERY, SIO_GET_EXTENSION_FUNCTION_POINTER):
            raise Failed(WSAEOPNOTSUPP)
        if not isinstance(lpcbBytesReturned, INT) or not is_length(cbOutBuffer):
            raise Failed(WSAEFAULT)
        if dwIoControlCode == SIO_ADDRESS_LIST_QUERY:
            _list_addresses(process, lpvOutBuffer, cbOutBuffer, lpcbBytesReturned)
            return NO_ERROR
        function = process.extensions.get(_guid(lpvInBuffer, cbInBuffer))
        if function is None:
            raise Failed(WSAEOPNOTSUPP)
        if not isinstance(lpvOutBuffer, INT) or cbOutBuffer < POINTER_SIZE:
            raise Failed(WSAEFAULT)
        lpvOutBuffer.Value = function
        lpcbBytesReturned.Value = POINTER_SIZE
    return NO_ERROR


def _list_addresses(process: Process, lpvOutBuffer: object, cbOutBuffer: int, lpcbBytesReturned: INT) -> None:
    """Of the NICs that are up."""
    addresses = [SOCKADDR_IN(each.address) for each in process.proxy.addresses()]
    size = LIST_HEAD + LIST_ENTRY * len(addresses)
    if lpvOutBuffer is not None and not isinstance(lpvOutBuffer, SOCKET_ADDRESS_LIST):
        raise Failed(WSAEFAULT)
    lpcbBytesReturned.Value = size
    if lpvOutBuffer is None or cbOutBuffer < size:
        raise Failed(WSAEFAULT)
    lpvOutBuffer.assign(addresses)


def _guid(lpvInBuffer: object, cbInBuffer: int) -> bytes:
    if not isinstance(lpvInBuffer, bytes | bytearray | memoryview) or not is_length(cbInBuffer):
        raise Failed(WSAEFAULT)
    if not GUID_SIZE <= cbInBuffer <= len(lpvInBuffer):
        raise Failed(WSAEFAULT)
    return bytes(lpvInBuffer[:GUID_SIZE])


@answers()
def WSPGetSockOpt(process: Process, s: int, level: int, optname: int, optval: bytearray, optlen: INT) -> int:
    """SO_DEBUG, SO_MAX_MSG_SIZE, SO_MAX_RDMA_SIZE and SO_RDMA_THRESHOLD_SIZE, each a DWORD; else WSAENOPROTOOPT."""
    with process.host.pump:
        socket = process.socket(s)
        policy = process.policy
        values = {
            SO_DEBUG: int(socket.is_debugged),
            SO_MAX_MSG_SIZE: policy.max_message_size,
            SO_MAX_RDMA_SIZE: policy.max_rdma_size,
            SO_RDMA_THRESHOLD_SIZE: policy.rdma_threshold,
        }
        value = _known(values, level, optname)
        if not isinstance(optlen, INT) or not is_length(optlen.Value) or optlen.Value < DWORD_SIZE:
            raise Failed(WSAEFAULT)
        if not isinstance(optval, bytearray) or len(optval) < DWORD_SIZE:
            raise Failed(WSAEFAULT)
        optval[:DWORD_SIZE] = value.to_bytes(DWORD_SIZE, "little")
        optlen.Value = DWORD_SIZE
    return NO_ERROR


@answers()
def WSPSetSockOpt(process: Process, s: int, level: int, optname: int, optval: Buffer, optlen: int) -> int:
    """SO_DEBUG, which changes nothing but what WSPGetSockOpt tells; else WSAENOPROTOOPT."""
    with process.host.pump:
        socket = process.socket(s)
        _known({SO_DEBUG: 0}, level, optname)
        if not isinstance(optval, bytes | bytearray | memoryview) or not is_length(optlen):
            raise Failed(WSAEFAULT)
        if not DWORD_SIZE <= optlen <= len(optval):
            raise Failed(WSAEFAULT)
        socket.is_debugged = any(bytes(optval[:DWORD_SIZE]))
    return NO_ERROR


def _known(values: Mapping[int, int], level: object, optname: object) -> int:
    if level != SOL_SOCKET or not isinstance(optname, int) or optname not in values:
        raise Failed(WSAENOPROTOOPT)
    return values[optname]
