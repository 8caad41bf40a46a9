"""WSPIoctl, WSPGetSockOpt and WSPSetSockOpt.  Read handling-socket-options-and-control-codes-for-a-san before editing.

Whatever a provider without quality of service need not have is refused, so that the switch goes to the TCP/IP provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wsknet.san.arguments import check_output, store_address_list, view_of
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    NO_ERROR,
    SIO_ADDRESS_LIST_QUERY,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SO_DEBUG,
    SO_MAX_MSG_SIZE,
    SO_MAX_RDMA_SIZE,
    SO_RDMA_THRESHOLD_SIZE,
    SOCKET_ERROR,
    SOL_SOCKET,
    WSAEFAULT,
    WSAENOPROTOOPT,
    WSAEOPNOTSUPP,
)
from wsknet.san.structures import INT

if TYPE_CHECKING:
    from wsknet.san.provider.process import Process

GUID_SIZE = 16
POINTER_SIZE = 8
DWORD_SIZE = 4


@answers(SOCKET_ERROR)
def WSPIoctl(
    process: Process,
    s: object,
    dwIoControlCode: object,
    lpvInBuffer: object,
    cbInBuffer: object,
    lpvOutBuffer: Any,
    cbOutBuffer: object,
    lpcbBytesReturned: object,
    lpOverlapped: object,
    lpCompletionRoutine: object,
    lpThreadId: object,
) -> int:
    """SIO_ADDRESS_LIST_QUERY, which tells of the NICs that are up, and SIO_GET_EXTENSION_FUNCTION_POINTER, always at
    once; WSAEOPNOTSUPP for other codes and other functions.  WSAEFAULT: a buffer is none or too small; what the output
    takes is in `lpcbBytesReturned` then."""
    with process.host.pump:
        process.socket(s)
        if dwIoControlCode not in (SIO_ADDRESS_LIST_QUERY, SIO_GET_EXTENSION_FUNCTION_POINTER):
            raise WinsockError(WSAEOPNOTSUPP)
        if not isinstance(lpcbBytesReturned, INT):
            raise WinsockError(WSAEFAULT)
        if dwIoControlCode == SIO_ADDRESS_LIST_QUERY:
            addresses = [each.address for each in process.proxy.addresses()]
            size = store_address_list(addresses, lpvOutBuffer, cbOutBuffer, lpcbBytesReturned)
        else:
            guid = bytes(view_of(lpvInBuffer, cbInBuffer, least=GUID_SIZE)[:GUID_SIZE])
            function = process.extensions.get(guid)
            if function is None:
                raise WinsockError(WSAEOPNOTSUPP)
            size = POINTER_SIZE
            check_output(lpvOutBuffer, cbOutBuffer, INT, size, lpcbBytesReturned)
            lpvOutBuffer.Value = function
        lpcbBytesReturned.Value = size
    return NO_ERROR


@answers(SOCKET_ERROR)
def WSPGetSockOpt(process: Process, s: int, level: object, optname: object, optval: object, optlen: object) -> int:
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
        if not isinstance(optlen, INT):
            raise WinsockError(WSAEFAULT)
        room = view_of(optval, optlen.Value, least=DWORD_SIZE, is_filled=True)
        room[:DWORD_SIZE] = value.to_bytes(DWORD_SIZE, "little")
        optlen.Value = DWORD_SIZE
    return NO_ERROR


@answers(SOCKET_ERROR)
def WSPSetSockOpt(process: Process, s: int, level: object, optname: object, optval: object, optlen: object) -> int:
    """SO_DEBUG, which changes nothing but what WSPGetSockOpt tells; else WSAENOPROTOOPT."""
    with process.host.pump:
        socket = process.socket(s)
        _known({SO_DEBUG: 0}, level, optname)
        socket.is_debugged = any(view_of(optval, optlen, least=DWORD_SIZE)[:DWORD_SIZE])
    return NO_ERROR


def _known(values: Mapping[int, int], level: object, optname: object) -> int:
    if level != SOL_SOCKET or not isinstance(optname, int) or optname not in values:
        raise WinsockError(WSAENOPROTOOPT)
    return values[optname]
