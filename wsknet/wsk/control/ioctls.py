"""IOCTLs of sockets, and what each of them takes (WSK-5.4; BIND-4)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import (
    AF_INET,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_QUERY_RSS_SCALABILITY_INFO,
    SIO_ROUTING_INTERFACE_CHANGE,
    SIO_ROUTING_INTERFACE_QUERY,
    SIO_UDP_CONNRESET,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
)
from wsknet.wsk.control import connection_ioctls, inspection, redirect, tcp_ioctls
from wsknet.wsk.control.addresses import local_addresses, route_probe, routing_interface, store_address_list
from wsknet.wsk.control.ioctl import Buffers, Ioctl
from wsknet.wsk.control.notifications import Notifications
from wsknet.wsk.control.ulong import read_ulong
from wsknet.wsk.ip_structures import RSS_SCALABILITY_INFO
from wsknet.wsk.requests import perform_without_irp
from wsknet.wsk.status import NTSTATUS

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.base import Socket
    from wsknet.wsk.sockets.datagram import DatagramSocket
    from wsknet.wsk.sockets.transport import TransportSocket

_DATAGRAM = WSK_FLAG_DATAGRAM_SOCKET
_ALL = WSK_FLAG_LISTEN_SOCKET | WSK_FLAG_STREAM_SOCKET | WSK_FLAG_CONNECTION_SOCKET | _DATAGRAM


def perform_ioctl(Irp: IRP | None, now: Instant, socket: Any, ControlCode: int, buffers: Buffers) -> Any:
    ioctl = IOCTLS.get(ControlCode)
    if ioctl is None:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    size = buffers.InputSize
    if ioctl.categories and not socket.CATEGORY & ioctl.categories:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if (size == 0) != (buffers.InputBuffer is None):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if ioctl.takes_address and size and size < (16 if socket.family == AF_INET else 28):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return ioctl.operation(Irp, now, socket, buffers)


def _set_remote_address(Irp: IRP, now: Instant, socket: DatagramSocket, buffers: Buffers) -> int:
    socket.set_remote_address(buffers.InputBuffer, now)
    return 0


def _set_sendto_address(Irp: IRP, now: Instant, socket: DatagramSocket, buffers: Buffers) -> int:
    socket.set_destination(buffers.InputBuffer)
    return 0


def _set_connection_reset(Irp: IRP, now: Instant, socket: DatagramSocket, buffers: Buffers) -> int:
    is_on = read_ulong(buffers.InputSize, buffers.InputBuffer) != 0
    socket.require_alive()
    socket.options.receiving.tells_port_unreachable = is_on
    if socket.endpoint is not None:
        socket.apply_options()
    return 0


def _query_routing_interface(Irp: IRP, now: Instant, socket: TransportSocket, buffers: Buffers) -> int:
    if buffers.InputBuffer is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    socket.require_alive()
    return routing_interface(socket, buffers.InputBuffer, buffers.OutputSize, buffers.OutputBuffer)


def _await_routing_change(Irp: IRP, now: Instant, socket: TransportSocket, buffers: Buffers) -> Any:
    if buffers.InputBuffer is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    socket.require_alive()
    return _notifications(socket).wait(Irp, now, route_probe(socket, buffers.InputBuffer))


def _query_address_list(Irp: IRP | None, now: Instant, socket: Socket, buffers: Buffers) -> int:
    buffers.require_no_input()
    if Irp is None and buffers.OutputSizeReturned is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    socket.require_alive()
    return store_address_list(socket, *buffers[2:])


def perform_inline(socket: Socket, ControlCode: int, buffers: Buffers) -> NTSTATUS:
    """An IOCTL that is documented without an IRP (R-318)."""
    return perform_without_irp(socket.host, partial(perform_ioctl, None), socket, ControlCode, buffers)


def _await_address_change(Irp: IRP, now: Instant, socket: Socket, buffers: Buffers) -> Any:
    if buffers.InputSize:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    socket.require_alive()
    return _notifications(socket).wait(Irp, now, lambda: local_addresses(socket))


def _notifications(socket: Socket) -> Notifications:
    if socket.notifications is None:
        socket.notifications = Notifications(socket)
    return socket.notifications


def _query_rss(Irp: IRP, now: Instant, socket: Socket, buffers: Buffers) -> int:
    """No interface here spreads what it receives over processors ("Winsock IOCTLs", mstcpip.h)."""
    buffers.require_no_input()
    socket.require_alive()
    target = buffers.OutputBuffer
    if buffers.OutputSize < RSS_SCALABILITY_INFO.SIZE or target is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if isinstance(target, RSS_SCALABILITY_INFO):
        target.RssEnabled = 0
    else:
        target[0] = 0
    return RSS_SCALABILITY_INFO.SIZE


IOCTLS: dict[int, Ioctl] = {
    SIO_WSK_SET_REMOTE_ADDRESS: Ioctl(_set_remote_address, _DATAGRAM, takes_address=True),
    SIO_WSK_SET_SENDTO_ADDRESS: Ioctl(_set_sendto_address, _DATAGRAM, takes_address=True),
    SIO_UDP_CONNRESET: Ioctl(_set_connection_reset, _DATAGRAM),
    SIO_ROUTING_INTERFACE_QUERY: Ioctl(_query_routing_interface, _ALL, takes_address=True),
    SIO_ROUTING_INTERFACE_CHANGE: Ioctl(_await_routing_change, _ALL, takes_address=True),
    SIO_ADDRESS_LIST_QUERY: Ioctl(_query_address_list, 0, is_without_irp=True, is_passive=True),
    SIO_ADDRESS_LIST_CHANGE: Ioctl(_await_address_change, 0, is_passive=True),
    SIO_QUERY_RSS_SCALABILITY_INFO: Ioctl(_query_rss, 0),
    **connection_ioctls.TABLE,
    **redirect.TABLE,
    **tcp_ioctls.TABLE,
    **inspection.IOCTLS,
}
