"""What callers give to WSP functions: read and checked before anything is done, filled where there is room.

Nothing here raises anything but `WinsockError`, whatever it is given.  A `bool` is a number, as in C.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsknet.san.calls import WinsockError
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import AF_INET, FROM_PROTOCOL_INFO, WSAEAFNOSUPPORT, WSAEFAULT, WSAEINVAL
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, SOCKET_ADDRESS_LIST, WSANETWORKEVENTS, WSAPROTOCOL_INFOW
from wsknet.types import Address, Endpoint

# Numbers and memory


def number(value: Any, code: int = WSAEINVAL) -> int:
    if not isinstance(value, int):
        raise WinsockError(code)
    return value


def unsigned(value: Any, code: int = WSAEINVAL) -> int:
    if number(value, code) < 0:
        raise WinsockError(code)
    return int(value)


def is_pointer_to_number(value: Any) -> bool:
    return isinstance(value, INT) and isinstance(value.Value, int)


def view_of(buffer: Any, size: Any, *, least: int = 0, is_filled: bool = False) -> memoryview:
    """The `size` bytes at `buffer`.  WSAEFAULT: it has not so many, or they are fewer than `least`, or they are to be
    filled and cannot be written."""
    try:
        whole = memoryview(buffer).cast("B")
    except (TypeError, ValueError):  # no memory, or a view that was released
        raise WinsockError(WSAEFAULT) from None
    if not least <= number(size, WSAEFAULT) <= len(whole) or (is_filled and whole.readonly):
        raise WinsockError(WSAEFAULT)
    return whole[:size]


def listed(lpBuffers: Any, dwBufferCount: Any) -> Sequence[Any]:
    """The `dwBufferCount` structures at `lpBuffers`, whatever they are.  WSAEFAULT; without any WSAEINVAL."""
    if number(dwBufferCount) <= 0:
        raise WinsockError(WSAEINVAL)
    if not isinstance(lpBuffers, Sequence) or len(lpBuffers) < dwBufferCount:
        raise WinsockError(WSAEFAULT)
    return lpBuffers[:dwBufferCount]


# Names


def read_name(name: Any, namelen: Any) -> SOCKADDR_IN:
    """The address in the `namelen` bytes at `name`, of whatever family.

    WSAEFAULT (SAN-3.2.WSAEFAULT): no memory, a length that is shorter than a sockaddr_in or longer than what `name`
    points to, members that no sockaddr_in can hold.
    """
    if isinstance(name, SOCKADDR_IN):
        try:
            name = bytes(name)
        except (AttributeError, OverflowError, TypeError, ValueError):
            raise WinsockError(WSAEFAULT) from None
        if len(name) != SIZE:
            raise WinsockError(WSAEFAULT)
    return SOCKADDR_IN.parse(view_of(name, namelen, least=SIZE))


def read_destination(name: Any, namelen: Any) -> Endpoint:
    """What connect and sendto are given.  WSAEFAULT, WSAEAFNOSUPPORT."""
    address = read_name(name, namelen)
    if address.sin_family != AF_INET:
        raise WinsockError(WSAEAFNOSUPPORT)
    return address.endpoint


def check_room(name: Any, namelen: Any) -> None:
    """WSAEFAULT unless an address can be stored in `name`, whose size `namelen` tells."""
    if not isinstance(name, SOCKADDR_IN) or not is_pointer_to_number(namelen) or namelen.Value < SIZE:
        raise WinsockError(WSAEFAULT)


def wants_name(name: Any, namelen: Any) -> bool:
    """Whether the caller asks for an optional address: not if either is NULL (LPWSPACCEPT callback function).
    WSAEFAULT if it cannot be stored."""
    if name is None or namelen is None:
        return False
    check_room(name, namelen)
    return True


def store_name(name: SOCKADDR_IN, namelen: INT, endpoint: Endpoint) -> None:
    name.assign(SOCKADDR_IN.of(endpoint))
    namelen.Value = SIZE


# Structures


def asked_protocol(af: Any, kind: Any, protocol: Any, info: WSAPROTOCOL_INFOW) -> tuple[Any, Any, Any]:
    """Of WSPSocket: what the caller leaves to `info` is taken from there."""
    return (
        info.iAddressFamily if af == FROM_PROTOCOL_INFO else af,
        info.iSocketType if kind == FROM_PROTOCOL_INFO else kind,
        info.iProtocol if protocol == FROM_PROTOCOL_INFO else protocol,
    )


def read_selection(hEventObject: Any, lNetworkEvents: Any, possible: int) -> tuple[WSAEVENT | None, int]:
    """Of WSPEventSelect: what to signal, and for what; no events, no object.  WSAEINVAL for events that are not
    `possible`, and for events without an object."""
    wanted = number(lNetworkEvents)
    if wanted & ~possible or (wanted and not isinstance(hEventObject, WSAEVENT)):
        raise WinsockError(WSAEINVAL)
    return (hEventObject if wanted else None), wanted


def check_record(hEventObject: Any, lpNetworkEvents: Any) -> None:
    """Of WSPEnumNetworkEvents: the object may be NULL.  WSAEFAULT, WSAEINVAL."""
    if not isinstance(lpNetworkEvents, WSANETWORKEVENTS):
        raise WinsockError(WSAEFAULT)
    if hEventObject not in (None, 0) and not isinstance(hEventObject, WSAEVENT):
        raise WinsockError(WSAEINVAL)


def check_output(out: Any, out_size: Any, kind: type, size: int, returned: INT) -> None:
    """Of WSPIoctl: WSAEFAULT unless `out` is a `kind` and has `size` bytes, which `returned` tells then."""
    if not isinstance(out, kind) or not isinstance(out_size, int) or out_size < size:
        returned.Value = size
        raise WinsockError(WSAEFAULT)


def store_address_list(addresses: Sequence[Address], out: Any, out_size: Any, returned: INT) -> int:
    """Of SIO_ADDRESS_LIST_QUERY: the bytes that it takes.  WSAEFAULT as `check_output`."""
    size = SOCKET_ADDRESS_LIST.size_of(len(addresses))
    check_output(out, out_size, SOCKET_ADDRESS_LIST, size, returned)
    out.assign([SOCKADDR_IN(address) for address in addresses])
    return size
