"""IOCTLs of wsk.h about connections, and extension interfaces; SIO_ADDRESS_LIST_SORT (WSK-5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.net.destination import order_destinations
from wsknet.types import Address, is_link_local
from wsknet.wsk.constants import (
    AF_INET6,
    SIO_ADDRESS_LIST_SORT,
    SIO_WSK_QUERY_IDEAL_SEND_BACKLOG,
    SIO_WSK_QUERY_RECEIVE_BACKLOG,
    SIO_WSK_REGISTER_EXTENSION,
    SIO_WSK_SET_TCP_SILENT_MODE,
)
from wsknet.wsk.control.ioctl import Buffers, Ioctl
from wsknet.wsk.control.memory import is_memory, write_size
from wsknet.wsk.control.option import CONNECTION
from wsknet.wsk.requests import Refusal
from wsknet.wsk.sockets.states import CONNECTED
from wsknet.wsk.status import STATUS_BUFFER_OVERFLOW
from wsknet.wsk.structures import SOCKET_ADDRESS_LIST

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.base import Socket
    from wsknet.wsk.sockets.connection import ConnectionSocket

_IN6 = 28
"""Bytes of a SOCKADDR_IN6."""


def _query_ideal_send_backlog(Irp: IRP, now: Instant, socket: ConnectionSocket, buffers: Buffers) -> int:
    buffers.require_no_input()
    _require_connected(socket, "R-311")
    return write_size(socket.endpoint.ideal_send_backlog, buffers)


def _query_receive_backlog(Irp: IRP, now: Instant, socket: ConnectionSocket, buffers: Buffers) -> int:
    """What an indication shows counts until the program has taken it."""
    buffers.require_no_input()
    _require_connected(socket, "R-310")
    return write_size(socket.endpoint.readable, buffers)


def _require_connected(socket: ConnectionSocket, rule: str) -> None:
    if socket.state != CONNECTED:
        raise socket.refuse_state(rule, "a connected socket has a backlog")


def _set_silent_mode(Irp: IRP, now: Instant, socket: ConnectionSocket, buffers: Buffers) -> int:
    buffers.require_no_input()
    socket.fall_silent()
    return 0


def _register_extension(Irp: IRP | None, now: Instant, socket: Socket, buffers: Buffers) -> Any:
    """No extension interface is defined (WSK-5.8)."""
    raise LocalError(ErrorKind.NOT_SUPPORTED)


def _sort_addresses(Irp: IRP | None, now: Instant, socket: Socket, buffers: Buffers) -> int:
    """Destinations, best first (RFC 6724 6), without those that are invalid ("Using SIO_ADDRESS_LIST_SORT").

    All are SOCKADDR_IN6, those of IPv4 mapped.  Link-local ones are taken to be on the link of the first that tells
    one.  No page says whether WSK wants an IRP: both are taken.
    """
    entries = [octets for octets in _sockaddrs(buffers) if _is_valid(octets)]
    socket.require_alive()
    of_address: dict[Address, list[bytes]] = {}
    for octets in entries:
        of_address.setdefault(octets[8:24], []).append(octets)
    zones = (int.from_bytes(octets[24:28], "little") for octets in entries if is_link_local(octets[8:24]))
    addresses = [octets[8:24] for octets in entries]
    ordered = order_destinations(socket.host.stack.ip.tables, addresses, next((zone for zone in zones if zone), 0))
    octets = SOCKET_ADDRESS_LIST.of([of_address[address].pop(0) for address in ordered])
    size, memory = buffers.OutputSize, buffers.OutputBuffer
    if buffers.OutputSizeReturned is not None:
        buffers.OutputSizeReturned[:] = [len(octets)]
    if memory is None or min(size, len(memory)) < len(octets):
        raise Refusal(STATUS_BUFFER_OVERFLOW)
    memory[: len(octets)] = octets
    return len(octets)


def _sockaddrs(buffers: Buffers) -> list[bytes]:
    """Of the input, a SOCKET_ADDRESS_LIST or its memory."""
    told = buffers.InputBuffer
    if isinstance(told, SOCKET_ADDRESS_LIST):
        entries = told.Address[: told.iAddressCount]
        return [bytes(entry.lpSockaddr) for entry in entries if entry.lpSockaddr is not None]
    if not is_memory(told) or len(told) < 8:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    octets = bytes(told[: buffers.InputSize])
    count = int.from_bytes(octets[:4], "little")
    if len(octets) < 8 + 16 * count:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    places = (int.from_bytes(octets[at : at + 8], "little") for at in range(8, 8 + 16 * count, 16))
    return [octets[place : place + _IN6] for place in places]


def _is_valid(octets: bytes) -> bool:
    return len(octets) >= _IN6 and octets[0] | octets[1] << 8 == AF_INET6 and any(octets[8:24])


TABLE = {
    SIO_WSK_QUERY_IDEAL_SEND_BACKLOG: Ioctl(_query_ideal_send_backlog, CONNECTION),
    SIO_WSK_QUERY_RECEIVE_BACKLOG: Ioctl(_query_receive_backlog, CONNECTION),
    SIO_WSK_SET_TCP_SILENT_MODE: Ioctl(_set_silent_mode, CONNECTION),
    SIO_WSK_REGISTER_EXTENSION: Ioctl(_register_extension, 0, is_without_irp=True),
    SIO_ADDRESS_LIST_SORT: Ioctl(_sort_addresses, 0, is_without_irp=True, is_passive=True),
}
